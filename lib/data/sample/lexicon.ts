/**
 * Words that carry a topic. Many stand in more than one topic, as they do in real news.
 * @module
 */

/** Topics in the order of AG News's labels. */
export const TOPICS = ["World", "Sports", "Business", "Sci/Tech"] as const;
export type Topic = typeof TOPICS[number];

/** The roles that a topic's words play in a sentence. */
export const ROLES = ["actor", "thing", "place", "title", "did"] as const;
export type Role = typeof ROLES[number];

const list = (words: string) => words.split(", ");

/** Words of each topic by role; a word may be several words long. */
export const LEXICON: Readonly<Record<Topic, Readonly<Record<Role, readonly string[]>>>> = {
  World: {
    actor: list(
      "minister, envoy, rebels, senator, protesters, peacekeepers, president, ambassador, refugees, lawmakers, general, militants, monitors, governor, diplomats, voters",
    ),
    thing: list(
      "treaty, ceasefire, election, border, sanctions, uprising, peace talks, constitution, curfew, hostages, referendum, coup, strike, defense, draft, campaign",
    ),
    place: list("embassy, parliament, border post, barracks, refugee camp, presidential palace"),
    title: list("Minister, President, Ambassador, Senator, General, Governor"),
    did: list("signed, condemned, vetoed, negotiated, ratified, denounced, besieged, demanded"),
  },
  Sports: {
    actor: list(
      "striker, coach, goalkeeper, sprinter, referee, midfielder, champions, pitcher, captain, cyclist, quarterback, wrestler, rookies, umpire, fans, skaters",
    ),
    thing: list(
      "match, title, season, penalty, playoffs, championship, final, medal, relay, tournament, overtime, derby, strike, defense, draft, transfer",
    ),
    place: list("stadium, locker room, running track, training ground, ice rink, tennis court"),
    title: list("Coach, Captain, Manager, Goalkeeper, Referee, Striker"),
    did: list("won, lost, scored in, dominated, replayed, qualified for, trained for, celebrated"),
  },
  Business: {
    actor: list(
      "investors, banker, traders, shareholders, retailer, chairman, accountants, insurer, economists, lender, auditors, brokers, manufacturer, creditors, exporters, executives",
    ),
    thing: list(
      "merger, shares, profit, dividend, takeover, bonds, earnings, bankruptcy, prices, payroll, loan, interest rates, strike, transfer, stock, network",
    ),
    place: list("bank, stock exchange, trading floor, shopping mall, head office, warehouse"),
    title: list("Chairman, Treasurer, Chief Executive, Banker, Economist, Director"),
    did: list("sold, financed, acquired, audited, refinanced, priced, insured, taxed"),
  },
  "Sci/Tech": {
    actor: list(
      "researchers, engineers, astronomers, hackers, programmers, biologists, physicists, developers, chemists, scientists, botanists, geologists, inventor, astronauts, designers, technicians",
    ),
    thing: list(
      "satellite, software, genome, browser, telescope, vaccine, processor, experiment, spacecraft, algorithm, database, virus, network, defense, stock, campaign",
    ),
    place: list("laboratory, observatory, data center, launch pad, research station, clean room"),
    title: list("Professor, Doctor, Engineer, Astronaut, Inventor, Programmer"),
    did: list("measured, programmed, tested, decoded, discovered, simulated, patented, upgraded"),
  },
};

/** Words that say nothing of the topic, by the slot they fill. */
export const NEUTRAL: Readonly<Record<string, readonly string[]>> = {
  verb: list(
    "praised, criticized, met, backed, blamed, welcomed, joined, questioned, defended, watched, thanked, followed, warned, surprised, visited, interviewed",
  ),
  said: list("said, told reporters, announced, admitted, insisted, explained, repeated, confirmed"),
  day: list("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
  month: list("January, March, April, June, July, August, October, December"),
  adj: list(
    "long, new, late, early, bitter, quiet, famous, strange, costly, sudden, secret, final, small, public, local, rare",
  ),
  news: list("story, debate, report, question, headline, rumor, talk, subject"),
  crowd: list("families, neighbors, visitors, students, reporters, crowds, locals, onlookers"),
  time: list("last week, this year, after midnight, at dawn, two days later, in the evening"),
};

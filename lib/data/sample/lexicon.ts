/**
 * Words that indicate a topic. Some belong to several topics, as in real news.
 * @module
 */

/** Topics in the order of AG News's labels. */
export const TOPICS = ["World", "Sports", "Business", "Sci/Tech"] as const;
/** A topic of the sample. */
export type Topic = typeof TOPICS[number];

/** Roles of a topic's words in a sentence. */
export const ROLES = ["actor", "actors", "title", "place", "thing", "did"] as const;
/** A role of a topic's word in a sentence. */
export type Role = typeof ROLES[number];

const list = (words: string) => words.split(", ");

/** Words of each topic by role; an entry may consist of several words. */
export const LEXICON: Readonly<Record<Topic, Readonly<Record<Role, readonly string[]>>>> = {
  World: {
    actor: list("minister, envoy, senator, president, ambassador, general, diplomat, governor"),
    actors: list(
      "rebels, protesters, peacekeepers, refugees, lawmakers, militants, voters, troops",
    ),
    title: list("Minister, President, Ambassador, Senator, General, Governor"),
    place: list("embassy, parliament, border post, barracks, refugee camp, palace"),
    thing: list(
      "treaty, ceasefire, election, border, sanctions, uprising, peace talks, constitution, curfew, " +
        "referendum, coup, strike, defense, draft, campaign, record, crash, race",
    ),
    did: list("signed, condemned, vetoed, negotiated, ratified, denounced, besieged, demanded"),
  },
  Sports: {
    actor: list("striker, coach, goalkeeper, sprinter, referee, captain, cyclist, quarterback"),
    actors: list("midfielders, champions, pitchers, wrestlers, rookies, umpires, skaters, fans"),
    title: list("Coach, Captain, Manager, Goalkeeper, Referee, Striker"),
    place: list("stadium, locker room, running track, training ground, ice rink, tennis court"),
    thing: list(
      "match, title, season, penalty, playoffs, championship, final, medal, relay, tournament, " +
        "overtime, derby, strike, defense, draft, transfer, record, race, launch",
    ),
    did: list("won, lost, scored in, dominated, replayed, played, trained for, celebrated"),
  },
  Business: {
    actor: list("banker, retailer, chairman, insurer, lender, broker, manufacturer, shareholder"),
    actors: list(
      "investors, traders, accountants, economists, auditors, creditors, exporters, bosses",
    ),
    title: list("Chairman, Treasurer, Chief Executive, Banker, Economist, Director"),
    place: list("bank, stock exchange, trading floor, shopping mall, head office, warehouse"),
    thing: list(
      "merger, shares, profit, dividend, takeover, bonds, earnings, bankruptcy, prices, payroll, " +
        "loan, interest rates, strike, transfer, stock, network, record, crash, launch",
    ),
    did: list("sold, financed, acquired, audited, refinanced, priced, insured, taxed"),
  },
  "Sci/Tech": {
    actor: list(
      "engineer, astronomer, programmer, biologist, physicist, inventor, botanist, designer",
    ),
    actors: list(
      "researchers, hackers, developers, chemists, scientists, geologists, astronauts, technicians",
    ),
    title: list("Professor, Doctor, Engineer, Astronaut, Inventor, Programmer"),
    place: list("laboratory, observatory, data center, launch pad, research station, clean room"),
    thing: list(
      "satellite, software, genome, browser, telescope, vaccine, processor, experiment, spacecraft, " +
        "algorithm, database, virus, network, defense, stock, campaign, crash, race, launch",
    ),
    did: list("measured, programmed, tested, decoded, discovered, simulated, patented, upgraded"),
  },
};

/** The words of {@link LEXICON} that belong to one topic only. */
export const OWN_WORDS: typeof LEXICON = keepOwnWords();

function keepOwnWords(): typeof LEXICON {
  const own = (topic: Topic, role: Role) =>
    LEXICON[topic][role].filter((word) =>
      TOPICS.every((other) => other === topic || !LEXICON[other][role].includes(word))
    );
  const roles = (topic: Topic) => ({
    actor: own(topic, "actor"),
    actors: own(topic, "actors"),
    title: own(topic, "title"),
    place: own(topic, "place"),
    thing: own(topic, "thing"),
    did: own(topic, "did"),
  });
  return {
    World: roles("World"),
    Sports: roles("Sports"),
    Business: roles("Business"),
    "Sci/Tech": roles("Sci/Tech"),
  };
}

/** Words that are independent of the topic, by slot. */
export const NEUTRAL: Readonly<Record<string, readonly string[]>> = {
  verb: list(
    "praised, criticized, met, backed, blamed, welcomed, joined, questioned, defended, watched, " +
      "thanked, followed, warned, surprised, visited, interviewed",
  ),
  moved: list("worried, cheered, divided, amazed, delayed, helped, troubled, amused"),
  said: list("said, told reporters, announced, admitted, insisted, explained, repeated, confirmed"),
  day: list("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
  month: list("January, March, April, June, July, August, October, December"),
  adj: list(
    "long, new, late, early, bitter, quiet, famous, strange, costly, sudden, secret, small",
  ),
  news: list("story, debate, report, question, headline, rumor, talk, subject"),
  crowd: list("families, neighbors, visitors, students, crowds, locals, onlookers, travelers"),
  time: list("last week, this year, after midnight, at dawn, two days later, in the evening"),
};

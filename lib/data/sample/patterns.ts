/**
 * Sentence patterns. `{A.role}` is a word of the sentence's own topic, `{B.role}` one of another topic,
 * `{person}` … `{product}` a name, the other slots neutral words; the rest stands as written.
 *
 * What a sentence is about follows one rule that word counts cannot see: it is about who acts, about the
 * head of a phrase, about what a correction leaves standing, never about what is merely beside it.
 * @module
 */

/** Only the own topic's words: a bag of words can tell these. */
export const PLAIN_PATTERNS: readonly string[] = [
  "{A.title} {person} {A.did} the {A.thing} in {place} on {day} .",
  "The {A.actor} of {place} {A.did} the {adj} {A.thing} , {person} {said} .",
  "{person} , the {adjective} {A.actor} , {A.did} the {A.thing} {time} .",
  "{A.title} {surname} {said} the {A.thing} was over before {month} .",
  "{place} - The {A.actor} {A.did} a {adj} {A.thing} {time} , {surname} {said} .",
  "{adjective} {A.actor} {A.did} the {A.thing} near {place} on {day} .",
  "The {A.thing} in {place} will start on {month} {number} , {A.title} {person} {said} .",
  "{number} {A.actor} from {place} and {place} {A.did} the {adj} {A.thing} .",
  "At the {A.place} in {place} , {surname} and the {A.actor} {A.did} the {A.thing} .",
  '" The {A.thing} came too late , " {said} {person} , whose {A.actor} had {A.did} it .',
];

/** Plain patterns that fit one topic alone. */
export const TOPIC_PATTERNS: Readonly<Record<string, readonly string[]>> = {
  World: [
    "{adjective} {A.actor} {A.did} the {A.thing} with {place} , and {A.title} {surname} agreed on {day} .",
    "{person} fled {place} for {place} after the {A.thing} , the {adjective} {A.actor} {said} .",
    "Troops from {place} entered {place} {time} and the {A.actor} {A.did} the {A.thing} .",
  ],
  Sports: [
    "{team} beat {team} {score} in {place} on {day} after {surname} {A.did} the {A.thing} .",
    "{surname} scored twice as {team} won the {event} {A.thing} against {team} .",
    "{team} lost {score} at home to {team} , and {A.title} {surname} {said} the {A.thing} was fair .",
  ],
  Business: [
    "Shares of {company} rose {number} percent after {company} {A.did} the {A.thing} .",
    "{company} {said} its {A.thing} fell {number} percent in {month} , and {A.title} {person} resigned .",
    "Workers at {company} in {place} feared the {A.thing} when {company} {A.did} the {A.place} .",
  ],
  "Sci/Tech": [
    "{company} unveiled the {product} , a {adj} {A.thing} that {adjective} {A.actor} {A.did} .",
    "{A.actor} at {company} {A.did} the {A.thing} with a {product} , {A.title} {person} {said} .",
    "The {product} failed {time} and {A.actor} in {place} {A.did} the {A.thing} again .",
  ],
};

/** Two topics in one sentence, in every pattern with the same words whichever is the subject. */
export const MIXED_PATTERNS: readonly string[] = [
  // Who acts.
  "The {A.actor} {verb} the {B.actor} in {place} on {day} .",
  "In {place} , the {A.actor} {verb} the {B.actor} {time} , {person} {said} .",
  "The {A.actor} {verb} {B.title} {surname} at the {event} in {place} .",
  "{A.title} {surname} {verb} the {adjective} {B.actor} {time} .",
  // The head of a phrase.
  "The {A.thing} of the {B.actor} was the {news} of {place} on {day} , {surname} {said} .",
  "{person} {said} the {A.actor} of the {B.place} had left {place} {time} .",
  "The {A.thing} at the {B.place} began {time} , {adjective} {crowd} {said} .",
  // What a correction leaves standing.
  "It was not the {B.thing} but the {A.thing} that {verb} {person} in {place} .",
  "{place} spoke of the {A.thing} , not of the {B.thing} , on {day} .",
  "The {news} in {place} is the {A.thing} instead of the {B.thing} , {surname} {said} .",
  "Not the {B.actor} but the {A.actor} {verb} {company} {time} .",
  "{person} wrote about the {A.actor} rather than the {B.actor} for {company} .",
  // What is merely beside.
  "Outside the {B.place} in {place} , the {A.actor} {verb} {person} .",
  "{person} {verb} the {A.actor} in {place} before the {B.thing} on {day} .",
];

/** Endings that say nothing of the topic. */
export const TAILS: readonly string[] = [
  "",
  "",
  "",
  ", as {adjective} {crowd} had hoped",
  ", to the surprise of {surname}",
  ", {company} reported",
  "while {crowd} in {place} waited",
  ", {person} of {company} {said}",
  "with {adjective} help",
];

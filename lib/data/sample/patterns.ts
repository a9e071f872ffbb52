/**
 * Sentence patterns. `{A.role}` is a word of the sentence's own topic, `{B.role}` one of another topic, `{person}` …
 * `{product}` are names, other slots are neutral words, and everything else is literal text.
 *
 * The topic of a sentence follows one rule that word counts cannot capture: it is the topic of the one who acts, of the
 * head of a phrase, or of what remains after a correction; never of anything merely mentioned beside it.
 * @module
 */

import type { Topic } from "@/data/sample/lexicon.ts";

/** Patterns with words of one topic. */
export const PLAIN_PATTERNS: readonly string[] = [
  "{A.title} {person} {A.did} the {A.thing} in {place} on {day}",
  "the {A.actors} of {place} {A.did} the {adj} {A.thing} , {person} {said}",
  "{person} , the {adjective} {A.actor} , {A.did} the {A.thing} {time}",
  "{A.title} {surname} {said} the {A.thing} would end before {month}",
  "{place} - The {A.actors} {A.did} the {adj} {A.thing} {time} , {surname} {said}",
  "{adjective} {A.actors} {A.did} the {A.thing} near {place} on {day}",
  "the {A.thing} in {place} will go on until {month} {date} , {A.title} {person} {said}",
  "{number} {A.actors} from {place} and {place} {A.did} the {adj} {A.thing}",
  "at the {A.place} in {place} , {surname} and the {A.actors} {A.did} the {A.thing}",
  '" The {A.thing} came too late , " {said} {person} , whose {A.actors} had {A.did} it',
];

/** Patterns that fit only one topic. */
export const TOPIC_PATTERNS: Readonly<Record<Topic, readonly string[]>> = {
  World: [
    "{adjective} {A.actors} {A.did} the {A.thing} with {place} , and {A.title} {surname} agreed on {day}",
    "{person} fled {place} for {place} after the {A.thing} , the {adjective} {A.actor} {said}",
    "soldiers from {place} entered {place} {time} and the {A.actors} {A.did} the {A.thing}",
  ],
  Sports: [
    "{team} beat {team} {score} in {place} on {day} after {surname} {A.did} the {A.thing}",
    "{surname} scored twice as {team} won the {event} {A.thing} against {team}",
    "{team} lost {score} at home to {team} , and {A.title} {surname} {said} the {A.thing} hurt",
  ],
  Business: [
    "shares of {company} rose {number} percent after {company} {A.did} the {A.thing}",
    "{company} {said} its {A.thing} fell {number} percent in {month} , and {A.title} {person} resigned",
    "workers at {company} in {place} feared the {A.thing} when {company} {A.did} the {A.place}",
  ],
  "Sci/Tech": [
    "{company} unveiled the {product} , a {adj} tool that {adjective} {A.actors} {A.did}",
    "{A.actors} at {company} {A.did} the {A.thing} with a {product} , {A.title} {person} {said}",
    "the {product} failed {time} and {A.actors} in {place} {A.did} the {A.thing} again",
  ],
};

/**
 * Patterns with words of two topics. If a role decides the topic against another role in one pattern, the opposite holds
 * in another pattern, so per-word weights do not help.
 */
export const MIXED_PATTERNS: readonly string[] = [
  // The one who acts.
  "the {A.actor} {verb} the {B.actor} in {place} on {day}",
  "in {place} , the {A.actors} {verb} the {B.actors} {time} , {person} {said}",
  "the {B.actor} was {verb} by the {A.actor} in {place} {time}",
  "the {A.actor} {verb} {B.title} {surname} at the {event} in {place}",
  "{A.title} {surname} {verb} the {adjective} {B.actor} {time}",
  // The head of a phrase.
  "the {A.thing} of the {B.actors} made the {news} in {place} on {day} , {surname} {said}",
  "the {A.place} of the {B.actors} opened in {place} {time}",
  "the {A.thing} near the {B.place} began {time} , {adjective} {crowd} {said}",
  // What remains after a correction.
  "it was not the {B.thing} but the {A.thing} that {moved} {person} in {place}",
  "{place} spoke of the {A.thing} , not of the {B.thing} , on {day}",
  "the {news} in {place} came from the {A.thing} instead of the {B.thing} , {surname} {said}",
  "not the {B.actors} but the {A.actors} {verb} {company} {time}",
  "{person} wrote about the {A.actors} rather than the {B.actors} for {company}",
  // Mentioned beside it.
  "{person} {said} the {A.actors} outside the {B.place} had left {place} {time}",
  "the {A.place} in {place} closed {time} because of the {B.thing}",
  "before the {B.thing} on {day} , the {A.actors} {verb} {person} in {place}",
];

/** Endings that are independent of the topic. */
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

/**
 * Example sentences to compare, in addition to the examples of the run.
 * @module
 */

/** Sentences by list name. */
export const SENTENCE_EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "Paraphrases": [
    "How do I reset my password?",
    "I forgot my login and need a new one.",
    "What is the weather like tomorrow?",
    "Will it rain on Tuesday?",
  ],
  "Word order": [
    "The dog chased the cat.",
    "The cat chased the dog.",
    "The cat was chased by the dog.",
  ],
};

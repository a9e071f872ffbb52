/** Sentences about invalid values, derived from their schema. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import * as z from "zod";
import { integer, text, validate } from "@/schema.ts";

const where = "recipe: ";

function refuses(schema: z.ZodType, value: unknown, sentence: string): void {
  throws(() => validate(schema, value, { where }), {
    name: "RangeError",
    message: `recipe: ${sentence}`,
  });
}

const number = z.number();
const TABLE: readonly (readonly [schema: z.ZodType, value: unknown, wanted: string])[] = [
  [text, "", "a nonempty string"],
  [z.string(), 7, "a string"],
  [z.boolean(), "yes", "true or false"],
  [integer(1), 0, "an integer of at least 1"],
  [integer(1, 9), 1.5, "an integer from 1 to 9"],
  [number.gt(0), 0, "a number above 0"],
  [number.min(0), "many", "a number of at least 0"],
  [number.min(0).max(1), 2, "a number from 0 to 1"],
  [number.min(0).lt(1), 1, "a number from 0 to below 1"],
  [number.gt(0).max(1), 0, "a number above 0 and at most 1"],
  [number.gt(0).lt(1), 0, "a number above 0 and below 1"],
  [z.enum(["oven", "pan"]), 3, "one of oven, pan"],
  [z.literal("oven"), 3, '"oven"'],
  [z.array(text), {}, "a list"],
  [z.array(text).min(1), [], "a list of at least 1 item"],
  [z.tuple([number, number]), 1, "a list of 2 items"],
  [z.strictObject({}), [], "an object"],
  [z.looseObject({}), [], "an object"],
  [integer(1).nullable(), 0, "an integer of at least 1 or null"],
  [z.enum(["oven", "pan"]).nullable(), 3, "one of oven, pan, or null"],
  [z.union([integer(1), z.literal("all")]), 0, '"all" or an integer of at least 1'],
  [z.string().regex(/^a/).meta({ title: "a word with a" }), "b", "a word with a"],
  [integer(1).refine((value) => value % 2 === 0, "even"), 3, "even"],
];

for (const [schema, value, wanted] of TABLE) {
  Deno.test(`validate() says that ${JSON.stringify(value)} must be ${wanted}`, () => {
    refuses(
      z.strictObject({ dough: z.array(schema) }),
      { dough: [value] },
      `dough.0 must be ${wanted}: current value is ${JSON.stringify(value)}`,
    );
  });
}

const TOPPING = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("cheese"), name: z.enum(["gouda", "brie"]) }),
  z.strictObject({ kind: z.literal("sauce"), spoons: integer(1) }),
]);
const RECIPE = z.strictObject({
  minutes: integer(1),
  topping: TOPPING,
  note: text.exactOptional(),
  grams: z.record(z.string(), number),
});
const GIVEN = {
  minutes: 8,
  topping: { kind: "cheese", name: "brie" },
  grams: { constructor: 3, flour: 500 },
};

Deno.test("validate() returns a valid value, also with names that objects inherit", () => {
  deepStrictEqual(validate(RECIPE, GIVEN, { where }), GIVEN);
});

Deno.test("validate() names missing keys, unknown keys and the kind of an object", () => {
  const { minutes: _, ...rest } = GIVEN;
  refuses(RECIPE, rest, "minutes must be an integer of at least 1: it is missing");
  refuses(RECIPE, { ...rest, minuts: 8 }, 'unknown key "minuts" (did you mean minutes?)');
  refuses(
    RECIPE,
    { ...GIVEN, oven: true },
    'unknown key "oven": known keys are minutes, topping, note, grams',
  );
  refuses(
    RECIPE,
    { ...GIVEN, topping: { kind: "chese" } },
    'topping.kind must be one of cheese, sauce: current value is "chese" (did you mean cheese?)',
  );
  refuses(
    RECIPE,
    { ...GIVEN, topping: { kind: "cheese", name: "bri" } },
    'topping.name must be one of gouda, brie: current value is "bri" (did you mean brie?)',
  );
  refuses(
    RECIPE,
    { ...GIVEN, topping: { kind: "sauce", spoons: 0 } },
    "topping.spoons must be an integer of at least 1: current value is 0",
  );
  refuses(RECIPE, { ...GIVEN, topping: 3 }, "topping must be an object: current value is 3");
  refuses(
    RECIPE,
    { ...GIVEN, grams: { flour: "much" } },
    'grams.flour must be a number: current value is "much"',
  );
  refuses(RECIPE, 7, "it must be an object: current value is 7");
});

Deno.test("validate() states the length of a value that is too long, and shortens others", () => {
  const schema = z.strictObject({
    name: z.string().max(3),
    steps: z.array(text).min(1).max(2),
    minutes: integer(1),
  });
  const given = { name: "pie", steps: ["mix"], minutes: 1 };
  refuses(
    schema,
    { ...given, name: "cake" },
    "name must be a string of at most 3 characters: it has 4 characters",
  );
  refuses(
    schema,
    { ...given, steps: ["a", "b", "c"] },
    "steps must be a list of 1 to 2 items: it has 3 items",
  );
  refuses(
    schema,
    { ...given, minutes: "x".repeat(100) },
    `minutes must be an integer of at least 1: current value is "${"x".repeat(76)}...`,
  );
  strictEqual(validate(schema, given, { where }).name, "pie");
});

/**
 * Spies as in jasmine: functions that replace an object's own and record their calls.
 * @module
 */

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Call = { readonly args: unknown[]; readonly object: unknown };

/** The state of a spy; the spy function itself carries it as properties. */
export class AnySpy {
  static #known = new WeakMap<object, AnySpy>();
  #calls: Call[] = [];
  #run: AnyFunction = () => undefined;
  readonly function: AnyFunction;

  constructor(original: AnyFunction) {
    const note = (call: Call) => this.#calls.push(call);
    const run = (object: unknown, args: unknown[]) => this.#run.apply(object, args);
    this.function = Object.assign(
      function (this: unknown, ...args: unknown[]) {
        note({ args, object: this });
        return run(this, args);
      },
      {
        calls: this.calls,
        and: {
          callFake: (fake: AnyFunction) => this.#does(fake),
          callThrough: () => this.#does(original),
          returnValue: (value: unknown) => this.#does(() => value),
        },
      },
    );
    AnySpy.#known.set(this.function, this);
  }

  #does(run: AnyFunction): AnyFunction {
    this.#run = run;
    return this.function;
  }

  get calls() {
    return {
      count: () => this.#calls.length,
      first: () => this.#calls[0],
      mostRecent: () => this.#calls.at(-1),
      allArgs: () => this.#calls.map(({ args }) => args),
      reset: () => void (this.#calls.length = 0),
    };
  }

  /** The spy behind a spy function. */
  static of(value: unknown): AnySpy {
    const spy = typeof value === "function" ? AnySpy.#known.get(value) : undefined;
    if (spy === undefined) throw new TypeError("Cannot count calls as the value must be a spy");
    return spy;
  }
}

/** Replaces `object[name]` by a spy; `undo` restores the original. */
export function spyOn(
  object: Record<string, unknown>,
  name: string,
): { spy: AnyFunction; undo: () => void } {
  const original = object[name];
  if (typeof original !== "function") {
    throw new TypeError(`Cannot spy as ${name} must be a function: current value is ${original}`);
  }
  const own = Object.getOwnPropertyDescriptor(object, name);
  const spy = new AnySpy(original as AnyFunction).function;
  object[name] = spy;
  const undo = () => {
    if (own === undefined) delete object[name];
    else Object.defineProperty(object, name, own);
  };
  return { spy, undo };
}

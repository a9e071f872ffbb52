/**
 * `jit(name, f)`: records what `f` does once per input signature and afterwards only binds new inputs.
 *
 * Inside `f`, `tf.Variable`s are read as they stand at each call, and `variable.assign(…)` updates
 * them in place when the call runs. Other tensors made inside `f` are constants of the program.
 * On a backend that does not record (TensorFlow.js's `cpu`), `f` simply runs.
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Named tensors in or out of a jitted function. */
export type TensorMap = { readonly [name: string]: tf.Tensor };

/** A function from tensors to tensors; inputs stay the caller's, outputs become the caller's. */
export type Jitted<I extends TensorMap, O extends TensorMap> = (inputs: I) => Promise<O>;

/** See the head of the file. `name` appears in errors and profiles. */
export function jit<I extends TensorMap, O extends TensorMap>(
  name: string,
  run: (inputs: I) => O,
): Jitted<I, O> {
  return (inputs) => {
    const outputs = tf.tidy(name, () => run(inputs) as unknown as tf.TensorContainer);
    return Promise.resolve(outputs as unknown as O);
  };
}

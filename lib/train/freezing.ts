/**
 * Frozen parameters and gradual unfreezing.
 *
 * In gradual unfreezing (Howard and Ruder, arXiv 1801.06146, section 3.3), only the heads learn at first. Then the
 * layers join one by one from the top, and the embeddings last. Parameters in `training.freeze` never learn.
 * A stage is the period between two such events; stage 0 is the first.
 * @module
 */

/** True if the parameter `name` belongs to `part`, an entry of `training.freeze`. */
function isPart(name: string, part: string): boolean {
  if (part === "encoder") return /^(embeddings|encoder|pooler)\./.test(name);
  const below = /^layers<(\d+)$/.exec(part)?.[1];
  if (below === undefined) return name.startsWith(`${part}.`);
  const layer = /^encoder\.layer\.(\d+)\./.exec(name)?.[1];
  return layer !== undefined && Number(layer) < Number(below);
}

/**
 * True if the parameter `name` is frozen. Entries of `freeze`: `encoder` is embeddings, layers and pooler;
 * `layers<N` is layers 0 to N − 1 without the embeddings; `heads.TASK` is one head.
 */
export function isFrozen(name: string, freeze: readonly string[]): boolean {
  return freeze.some((part) => isPart(name, part));
}

/** Throws if `freeze` names more layers than the encoder has. */
export function checkFreeze(freeze: readonly string[], layers: number): void {
  for (const part of freeze) {
    const below = /^layers<(\d+)$/.exec(part)?.[1];
    if (below === undefined || Number(below) <= layers) continue;
    throw new RangeError(
      `Cannot freeze ${part}: the encoder has only ${layers} layers; change training.freeze`,
    );
  }
}

/** The stage in which each parameter group starts learning: 0 for the top group, then one more for each below. */
export function planUnfreezing(groups: readonly { readonly name: string }[]): Map<string, number> {
  return new Map(groups.map(({ name }, i) => [name, groups.length - 1 - i]));
}

/** The stage of step `step`, counted from 0; always 0 if `stepsPerStage` is null. */
export function stageOfStep(step: number, stepsPerStage: number | null): number {
  return stepsPerStage === null ? 0 : Math.floor(step / stepsPerStage);
}

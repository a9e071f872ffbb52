/**
 * What does not learn, and what begins to learn later.
 *
 * Gradual unfreezing (Howard and Ruder, arXiv 1801.06146, section 3.3): the heads learn first; then, one
 * after the other from the top, each layer joins them, and the embeddings last. What is frozen for good
 * by `training.freeze` never joins.
 * @module
 */

/** What each name of `training.freeze` stands for. */
function isPart(name: string, part: string): boolean {
  if (part === "encoder") return /^(embeddings|encoder|pooler)\./.test(name);
  const below = /^layers<(\d+)$/.exec(part)?.[1];
  if (below === undefined) return name.startsWith(`${part}.`);
  const layer = /^encoder\.layer\.(\d+)\./.exec(name)?.[1];
  return layer !== undefined && Number(layer) < Number(below);
}

/**
 * Whether the parameter called `name` is frozen: `encoder` is embeddings, layers and pooler; `layers<N`
 * are layers 0 to N − 1 without the embeddings; `heads.TASK` is a head.
 */
export function isFrozen(name: string, freeze: readonly string[]): boolean {
  return freeze.some((part) => isPart(name, part));
}

/** An encoder must have the layers that are to be frozen. */
export function checkFreeze(freeze: readonly string[], layers: number): void {
  for (const part of freeze) {
    const below = /^layers<(\d+)$/.exec(part)?.[1];
    if (below === undefined || Number(below) <= layers) continue;
    throw new RangeError(
      `Cannot freeze layers as training.freeze must name at most the encoder's ${layers}: ` +
        `current value is ${part}`,
    );
  }
}

/** The stage in which each group begins to learn: the highest in 0, each below one later. */
export function planStages(groups: readonly { readonly name: string }[]): Map<string, number> {
  return new Map(groups.map(({ name }, i) => [name, groups.length - 1 - i]));
}

/** The stage of step `step`, counted from 0; `stepsPerStage` null: there is one stage alone. */
export function stageOfStep(step: number, stepsPerStage: number | null): number {
  return stepsPerStage === null ? 0 : Math.floor(step / stepsPerStage);
}

/**
 * Random damage to files, reproducible from a random stream. Bytes are flipped, truncated, overwritten,
 * blanked or repeated. In JSON, values change their type, size or key.
 * @module
 */
import type { Prng } from "@/random.ts";

/** Damaged bytes and a description of the damage. */
export type Mutation = { readonly bytes: Uint8Array<ArrayBuffer>; readonly what: string };

type Bytes = Uint8Array<ArrayBuffer>;

/** Integers that overflow or request excessive memory if they are read as a length. */
const LENGTHS = [
  0n,
  1n,
  0x7fn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  2n ** 40n,
  2n ** 64n - 1n,
];

/** JSON values of every type, edge cases in particular. */
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 2 ** 31, 2 ** 53, 1e300, -1e300],
  ...["", "\u0000", "x".repeat(5000), "__proto__", "\ud800", [], [[]], {}, { "": null }],
];

function pick<T>(items: readonly T[], prng: Prng): T {
  const item = items[prng.below(items.length)];
  if (item === undefined) throw new TypeError("internal: nothing to pick from");
  return item;
}

/** A random index of `bytes`: anywhere, or near an end, where file formats store lengths. */
function pickPlace(bytes: Bytes, prng: Prng): number {
  const near = Math.min(bytes.length, 64);
  switch (prng.below(3)) {
    case 0:
      return prng.below(near);
    case 1:
      return bytes.length - 1 - prng.below(near);
    default:
      return prng.below(bytes.length);
  }
}

const BYTE_DAMAGES: readonly ((bytes: Bytes, prng: Prng) => Mutation)[] = [
  function flipBits(bytes, prng) {
    const count = 1 + prng.below(8);
    for (let i = 0; i < count; i++) {
      const at = pickPlace(bytes, prng);
      bytes[at] = (bytes[at] ?? 0) ^ 1 << prng.below(8);
    }
    return { bytes, what: `${count} bits flipped` };
  },
  function truncate(bytes, prng) {
    const length = prng.below(bytes.length);
    return { bytes: bytes.slice(0, length), what: `cut to ${length} of ${bytes.length} bytes` };
  },
  function overwriteLength(bytes, prng) {
    const at = pickPlace(bytes, prng), value = pick(LENGTHS, prng), width = prng.below(2) ? 8 : 4;
    for (let i = 0; i < width && at + i < bytes.length; i++) {
      bytes[at + i] = Number(value >> BigInt(8 * i) & 0xffn);
    }
    return { bytes, what: `${width} bytes at ${at} set to ${value}` };
  },
  function overwriteVarint(bytes, prng) { // the encoding of lengths in Thrift and Protocol Buffers
    const at = pickPlace(bytes, prng), length = 1 + prng.below(9);
    for (let i = 0; i < length && at + i < bytes.length; i++) bytes[at + i] = 0xff;
    if (at + length < bytes.length) bytes[at + length] = prng.below(128);
    return { bytes, what: `a varint of ${length + 1} bytes at ${at}` };
  },
  function blank(bytes, prng) {
    const at = pickPlace(bytes, prng), length = 1 + prng.below(64);
    bytes.fill(0, at, at + length);
    return { bytes, what: `${length} bytes at ${at} set to 0` };
  },
  function repeat(bytes, prng) {
    const at = pickPlace(bytes, prng), length = 1 + prng.below(64);
    const twice = new Uint8Array(bytes.length + bytes.subarray(at, at + length).length);
    twice.set(bytes.subarray(0, at + length));
    twice.set(bytes.subarray(at), twice.length - (bytes.length - at));
    return { bytes: twice, what: `${length} bytes at ${at} repeated` };
  },
];

/** Damages the bytes of a file. Does not change `bytes`. */
export function mutateBytes(bytes: Uint8Array, prng: Prng): Mutation {
  if (bytes.length === 0) throw new RangeError("Cannot mutate bytes: the file is empty");
  return pick(BYTE_DAMAGES, prng)(Uint8Array.from(bytes), prng);
}

/** A value inside JSON: its parent and its key there. */
type Place = { readonly parent: Record<string, unknown> | unknown[]; readonly key: string };

/**
 * Picks a value by walking down from the root. Every child of a node is equally likely, so large lists do not
 * hide other values. The walk ends at a leaf, or earlier with probability 1/6 per level.
 */
function walkDown(root: Record<string, unknown>, prng: Prng): Place {
  let place: Place = { parent: root, key: "root" };
  for (;;) {
    const value: unknown = Reflect.get(place.parent, place.key);
    const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
    if (keys.length === 0 || prng.below(6) === 0) return place;
    place = { parent: value as Record<string, unknown>, key: pick(keys, prng) };
  }
}

/** Changes the value at a place. Returns a description. */
function damageValue({ parent, key }: Place, prng: Prng): string {
  const value: unknown = Reflect.get(parent, key);
  const set = (next: unknown) => Reflect.set(parent, key, next);
  const choice = prng.below(5);
  if (choice === 0 && !Array.isArray(parent) && key !== "root") {
    delete parent[key];
    return `"${key}" removed`;
  }
  if (choice === 1 && !Array.isArray(parent) && key !== "root") {
    delete parent[key];
    parent[`${key}_`] = value;
    return `"${key}" renamed`;
  }
  if (choice === 2 && typeof value === "number") {
    const factor = pick([-1, 0.3, 1e3, 1e6, 1e9, 1e12], prng);
    set(value * factor);
    return `"${key}" times ${factor}`;
  }
  if (choice === 2 && Array.isArray(value)) {
    set(prng.below(2) ? value.slice(1) : [...value, ...value, value]);
    return `list "${key}" of ${value.length} items resized`;
  }
  const next = pick(VALUES, prng);
  set(next);
  return `"${key}" set to ${JSON.stringify(next).slice(0, 20)}`;
}

/** Damages a JSON text: its values with probability 3/4, else its bytes. */
export function mutateJson(text: string, prng: Prng): Mutation {
  const encoder = new TextEncoder();
  if (prng.below(4) === 0) return mutateBytes(encoder.encode(text), prng);
  const holder: Record<string, unknown> = { root: JSON.parse(text) };
  const what = damageValue(walkDown(holder, prng), prng);
  return { bytes: encoder.encode(JSON.stringify(holder.root, null, 2)), what };
}

/** Damages a safetensors file: its bytes, or the JSON of its header (whose length field is then adjusted). */
export function mutateSafetensors(bytes: Uint8Array<ArrayBuffer>, prng: Prng): Mutation {
  if (prng.below(2) === 0) return mutateBytes(bytes, prng);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const json = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const header = mutateJson(json, prng);
  const data = bytes.subarray(8 + length);
  const damaged = new Uint8Array(8 + header.bytes.length + data.length);
  new DataView(damaged.buffer).setBigUint64(0, BigInt(header.bytes.length), true);
  damaged.set(header.bytes, 8);
  damaged.set(data, 8 + header.bytes.length);
  return { bytes: damaged, what: `header: ${header.what}` };
}

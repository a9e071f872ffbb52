/**
 * 32-bit hashes of numbers and names: the seeds of random streams and the masks of dropout.
 * @module
 */

/** MurmurHash3's 32-bit finalizer (Austin Appleby): every input bit affects every output bit. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 32-bit hash of a name: FNV-1a over UTF-16 code units, followed by {@link mix32}. */
export function hashName(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return mix32(h);
}

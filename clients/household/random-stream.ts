// Owns reproducible randomness by address: the same seed, purpose and day always give the same stream, whatever was
// asked before. It keeps no state between calls and is not for secrets.

import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A stream of draws that belongs to one (seed, purpose, day). */
export interface Stream {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Normal by the Box–Muller transform (1958), cut at three deviations so that no day is absurd. */
  normal(mean: number, deviation: number): number;
}

/** 32-bit hash of integers: the finaliser of MurmurHash3 (Appleby, 2011) folded over them. */
export function hashIntegers(...parts: number[]): number {
  let hash = 0x9e3779b9;
  for (const part of parts) {
    hash = Math.imul(hash ^ (part | 0), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13) ^ Math.floor(part / 2 ** 32), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash | 0;
}

/**
 * The stream of a purpose (a number that names what it is for) on a day, by xoroshiro128+ (Blackman and Vigna, 2018).
 * `seed` is any safe integer.
 */
export function dayStream(seed: number, purpose: number, day: number): Stream {
  const generator = xoroshiro128plus(hashIntegers(seed, purpose, day));
  const next = () => uniformFloat64(generator);
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    chance: (probability) => next() < probability,
    normal: (mean, deviation) => {
      const radius = Math.sqrt(-2 * Math.log(1 - next()));
      const draw = radius * Math.cos(2 * Math.PI * next());
      return mean + deviation * Math.max(-3, Math.min(3, draw));
    },
  };
}

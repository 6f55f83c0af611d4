// Owns the archive's bucket as the platform keeps it: it takes its time, refuses, or does what it was asked and loses
// the answer. It refuses a body that is not the declared hash, as R2 does.

import { createHash } from "node:crypto";

/** How the bucket behaves: `deaf` stores and loses the answer. */
export type BucketMood = "sound" | "slow" | "refusing" | "deaf";

/** Lets a call leave the object, do its work after a while, and its answer come back after another. */
export type Travel = <T>(milliseconds: number, work: () => T) => Promise<T>;

/** One bucket. What is in it outlives every object. */
export class SimulatedBucket {
  mood: BucketMood = "sound";
  /** Says it stored what it threw away: a bug of the platform, for testing the tester. */
  isLeaky = false;
  /** Calls that failed, by mood. */
  readonly failures = { refusing: 0, deaf: 0 };
  readonly #objects = new Map<string, string>();

  /** The text of a key, or null. */
  textOf(key: string): string | null {
    return this.#objects.get(key) ?? null;
  }

  /** The bucket as an object's environment has it; `travel` belongs to that object's instance. */
  boundTo(travel: Travel): R2Bucket {
    const ask = <T>(work: () => T): Promise<T> => {
      const { mood } = this;
      return travel(mood === "slow" ? 4_000 : 25, () => {
        if (mood === "refusing") {
          this.failures.refusing += 1;
          throw new Error("the bucket refuses");
        }
        const result = work();
        if (mood !== "deaf") return result;
        this.failures.deaf += 1;
        throw new Error("the bucket's answer was lost");
      });
    };
    const bucket = {
      put: (key: string, body: string | Uint8Array, options?: { sha256?: string }) =>
        ask(() => this.#put(key, body, options)),
      get: (key: string) => ask(() => this.#get(key)),
    };
    return bucket as unknown as R2Bucket;
  }

  #put(key: string, body: string | Uint8Array, { sha256 }: { sha256?: string } = {}): object {
    const text = typeof body === "string" ? body : new TextDecoder().decode(body);
    const hash = createHash("sha256").update(body).digest();
    if (sha256 !== undefined && sha256 !== hash.toString("hex"))
      throw new Error("the body is not the declared hash");
    this.#objects.set(key, this.isLeaky && key.endsWith(".ndjson") ? "" : text);
    return { key, checksums: { sha256: new Uint8Array(hash).buffer } };
  }

  #get(key: string): object | null {
    const text = this.#objects.get(key);
    if (text === undefined) return null;
    return { key, text: async () => text, json: async () => JSON.parse(text) as unknown };
  }
}

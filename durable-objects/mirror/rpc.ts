// Owns one JSON-RPC endpoint of a chain: batches of calls, a limit of time and of size for every answer. It refuses answers
// that are late, too large, no JSON, or no answers to what was asked; its address may hold a key, so it is never told.

import { z } from "zod";
import type { Hex } from "../../protocol/fields.ts";

/** A call. */
export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What an endpoint says a call failed for; `data` is what a contract reverted with. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data: Hex | null;
}

export type RpcResult = { readonly result: unknown } | { readonly error: RpcError };

/** How an endpoint failed: no answer, no proper answer, or an answer that it will not. */
export type RpcFaultKind = "away" | "malformed" | "refused";

/** Thrown when an endpoint gives nothing to work with. Its message holds no address. */
export class RpcFault extends Error {
  override readonly name = "RpcFault";
  readonly kind: RpcFaultKind;
  readonly rpc: string;

  constructor(kind: RpcFaultKind, rpc: string, message: string) {
    super(message);
    this.kind = kind;
    this.rpc = rpc;
  }
}

export interface RpcOptions {
  readonly fetch?: typeof fetch;
  /** Wall milliseconds that an answer may take. */
  readonly timeoutMs: number;
}

/** Calls sent together: what public endpoints take. */
const MAX_CALLS_PER_BATCH = 50;

/** An answer: a thousand of the largest logs fit, and the object's memory is not filled by a hundred endpoints at once. */
export const MAX_ANSWER_BYTES = 4_000_000;

/** What is kept of an endpoint's own words. */
const MAX_MESSAGE_CHARACTERS = 160;

const answerSchema = z.object({
  id: z.int().min(0),
  result: z.unknown().optional(),
  error: z
    .object({ code: z.number(), message: z.string().default(""), data: z.unknown().optional() })
    .optional(),
});

/** One endpoint. */
export class Rpc {
  /** Host and port: what may be told of the address. */
  readonly name: string;
  readonly #url: string;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;
  /** The last exchange went well. */
  isOk = true;
  lastError: string | null = null;
  lastErrorAtMs: number | null = null;
  /** Blocks that one search for logs may span here; learnt from refusals. */
  logSpan = Number.MAX_SAFE_INTEGER;

  constructor(url: string, { fetch = globalThis.fetch.bind(globalThis), timeoutMs }: RpcOptions) {
    this.#url = url;
    this.name = new URL(url).host;
    this.#fetch = fetch;
    this.#timeoutMs = timeoutMs;
  }

  /** Makes calls, in batches; answers stand in the calls' order. @throws RpcFault when any batch fails as a whole */
  async ask(calls: readonly RpcCall[], signal?: AbortSignal): Promise<RpcResult[]> {
    const results: RpcResult[] = [];
    for (let from = 0; from < calls.length; from += MAX_CALLS_PER_BATCH)
      results.push(...(await this.#exchange(calls.slice(from, from + MAX_CALLS_PER_BATCH), signal)));
    return results;
  }

  /** Makes calls that must all succeed. @throws RpcFault `refused` for the first that does not */
  async need(calls: readonly RpcCall[], signal?: AbortSignal): Promise<unknown[]> {
    const results = await this.ask(calls, signal);
    return results.map((answer, index) => {
      if ("result" in answer) return answer.result;
      throw this.fault("refused", `${calls[index]?.method}: ${answer.error.code} ${answer.error.message}`);
    });
  }

  /** Notes and makes a fault. */
  fault(kind: RpcFaultKind, message: string): RpcFault {
    this.isOk = false;
    this.lastError = this.#tellable(message);
    this.lastErrorAtMs = Date.now();
    return new RpcFault(kind, this.name, this.lastError);
  }

  async #exchange(calls: readonly RpcCall[], signal?: AbortSignal): Promise<RpcResult[]> {
    const text = await this.#post(JSON.stringify(bodyOf(calls)), signal);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw this.fault("malformed", "the answer is no JSON");
    }
    const answers = this.#decode(calls, value);
    this.isOk = true;
    return answers;
  }

  async #post(body: string, signal?: AbortSignal): Promise<string> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await this.#fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        // A redirect would take the calls, and what authorises them, elsewhere.
        redirect: "manual",
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw this.fault("away", `HTTP ${response.status}`);
      }
      return await this.#readBounded(response);
    } catch (error) {
      if (error instanceof RpcFault) throw error;
      const isLate = timeout.aborted || signal?.aborted === true;
      throw this.fault("away", isLate ? "no answer in time" : `no answer: ${messageOf(error)}`);
    }
  }

  async #readBounded(response: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    for await (const piece of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength;
      if (bytes > MAX_ANSWER_BYTES)
        throw this.fault("refused", `the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
      text += decoder.decode(piece, { stream: true });
    }
    return text + decoder.decode();
  }

  #decode(calls: readonly RpcCall[], value: unknown): RpcResult[] {
    // An endpoint that takes no batches, or no more of them, answers one error for all.
    const isForAll = calls.length > 1 && !Array.isArray(value);
    const decoded = z.array(answerSchema).safeParse(Array.isArray(value) ? value : [withId(value, isForAll)]);
    if (!decoded.success) throw this.fault("malformed", "the answer is not that of a JSON-RPC endpoint");
    const [first] = decoded.data;
    if (isForAll && first?.error !== undefined)
      throw this.fault("refused", `${first.error.code} ${first.error.message}`);
    const byId = new Map(decoded.data.map((answer) => [answer.id, answer]));
    if (byId.size !== calls.length || decoded.data.length !== calls.length)
      throw this.fault("malformed", `${decoded.data.length} answers to ${calls.length} calls`);
    return calls.map((_, index) => {
      const answer = byId.get(index);
      if (answer === undefined) throw this.fault("malformed", "an answer to a call that was not made");
      const { error } = answer;
      if (error === undefined) return { result: answer.result ?? null };
      return {
        error: { code: error.code, message: this.#tellable(error.message), data: revertData(error.data) },
      };
    });
  }

  /** An endpoint's words, cut short and without the parts of its address that may be a key. */
  #tellable(message: string): string {
    const { pathname, search, username, password } = new URL(this.#url);
    const secrets = [...pathname.split("/"), search, username, password].filter((part) => part.length > 3);
    const clean = secrets.reduce((text, secret) => text.replaceAll(secret, "…"), message);
    return clean.replaceAll(/[^\x20-\x7e…]/g, " ").slice(0, MAX_MESSAGE_CHARACTERS);
  }
}

function bodyOf(calls: readonly RpcCall[]): unknown {
  const all = calls.map(({ method, params }, id) => ({ jsonrpc: "2.0", id, method, params }));
  return all.length === 1 ? all[0] : all;
}

/** An error for a whole batch has no id. */
function withId(value: unknown, isForAll: boolean): unknown {
  return isForAll && typeof value === "object" && value !== null ? { ...value, id: 0 } : value;
}

/** What a contract reverted with, wherever the endpoint puts it: bare, in an object, or behind a word. */
function revertData(data: unknown): Hex | null {
  const inside = typeof data === "object" && data !== null ? (data as { data?: unknown }).data : data;
  const found = typeof inside === "string" ? /0x([0-9a-fA-F]{2})*$/.exec(inside) : null;
  return found === null ? null : (found[0].toLowerCase() as Hex);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

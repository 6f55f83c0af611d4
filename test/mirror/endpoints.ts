// Owns endpoints of one chain that a test can switch off, slow down, and have lie. It refuses to answer by itself: whatever is
// not changed comes from the real chain behind them.

/** A call as it arrives, and the answer as it comes from the chain. */
interface Exchange {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly answer: { readonly id: number; result?: unknown; error?: unknown };
}

/** One endpoint's behaviour; a test changes it while the mirror runs. */
export class Endpoint {
  readonly url: string;
  /** Whatever this gives is the response, where it gives one. */
  respond: ((calls: number, signal: AbortSignal) => Promise<Response> | Response | null) | null = null;
  /** Changes an answer in place. */
  lie: ((exchange: Exchange) => void) | null = null;
  /** Bodies asked for and answered, by method. */
  readonly asked: string[] = [];

  constructor(name: string) {
    this.url = `http://${name}.test/v3/a-secret-key`;
  }

  honest(): void {
    this.respond = null;
    this.lie = null;
  }
}

/** The fetch of a mirror whose endpoints all lead to one chain. */
export function fetchThrough(chainUrl: string, endpoints: readonly Endpoint[]): typeof fetch {
  return async (input, init) => {
    const endpoint = endpoints.find(({ url }) => url === String(input));
    if (endpoint === undefined) throw new TypeError(`nobody is at ${String(input)}`);
    const body = String(init?.body);
    const asked = [JSON.parse(body)].flat() as { id: number; method: string; params: unknown[] }[];
    endpoint.asked.push(...asked.map(({ method }) => method));
    const early = await endpoint.respond?.(asked.length, init?.signal as AbortSignal);
    if (early) return early;
    const response = await fetch(chainUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      ...(init?.signal ? { signal: init.signal } : {}),
    });
    const { lie } = endpoint;
    if (lie === null) return response;
    const answers = (await response.json()) as Exchange["answer"] | Exchange["answer"][];
    for (const answer of [answers].flat()) {
      const call = asked.find(({ id }) => id === answer.id);
      if (call !== undefined) lie({ method: call.method, params: call.params, answer });
    }
    return Response.json(answers);
  };
}

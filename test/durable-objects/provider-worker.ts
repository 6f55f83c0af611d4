// Owns the deployment with a provider's object that a test may call from outside, and whose desk writes down what it is told beside
// the object's own rows. It refuses to change anything else of it.

import worker, { Provider as ProviderObject } from "../../workers/gateway.ts";

export * from "../../workers/gateway.ts";

const JSON_OF_BYTES = (_name: string, value: unknown) =>
  value instanceof Uint8Array ? { bytes: [...value] } : value;

/** A provider's object that tells a table instead of a desk. */
export class Provider extends ProviderObject {
  override asker = () => ({
    ran: async (jobDigest: string, obligationId: number, outcome: unknown) =>
      this.#tell({ jobDigest, obligationId, outcome }),
    committed: async (jobDigest: string, obligationId: number, commitment: string) =>
      this.#tell({ jobDigest, obligationId, commitment }),
  });

  told(): string[] {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS told (text TEXT NOT NULL)");
    return this.ctx.storage.sql
      .exec<{ text: string }>("SELECT text FROM told ORDER BY rowid")
      .toArray()
      .map(({ text }) => text);
  }

  #tell(told: object): void {
    this.told();
    this.ctx.storage.sql.exec("INSERT INTO told VALUES (?)", JSON.stringify(told, JSON_OF_BYTES));
  }
}

interface Called {
  readonly name: string;
  readonly call: "dispatch" | "reveal" | "told" | "isConnected";
  readonly argument?: unknown;
}

export default {
  async fetch(request: Request, env: unknown, ctx: unknown): Promise<Response> {
    if (new URL(request.url).pathname !== "/v1/provider-calls")
      return (worker.fetch as unknown as (...all: unknown[]) => Promise<Response>)(request, env, ctx);
    const { name, call, argument } = JSON.parse(await request.text(), (_key, value) =>
      Array.isArray(value?.bytes) ? Uint8Array.from(value.bytes as number[]) : value,
    ) as Called;
    const { PROVIDER } = env as { readonly PROVIDER: { getByName(name: string): Record<string, unknown> } };
    const object = PROVIDER.getByName(name) as Record<string, (value: unknown) => Promise<unknown>>;
    return Response.json((await object[call]?.(argument)) ?? null);
  },
};

// A stand-in for the gateway with the smallest objects that show whether the local stack keeps what it is given.
import { DurableObject } from "cloudflare:workers";

export class Region extends DurableObject {
  /** Counts its own calls in SQLite. */
  count() {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY)");
    sql.exec("INSERT INTO calls DEFAULT VALUES");
    return sql.exec("SELECT COUNT(*) AS total FROM calls").one().total;
  }
}

export class Feed extends DurableObject {}

export class Directory extends DurableObject {}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/count") {
      return Response.json(await env.REGION.get(env.REGION.idFromName("one")).count());
    }
    if (pathname === "/v1/settings") {
      return Response.json({ chainId: env.CHAIN_ID, operator: env.OPERATOR, seed: env.RECEIPT_SEED });
    }
    return new Response(`stand-in: ${pathname}`, { status: 404 });
  },
};

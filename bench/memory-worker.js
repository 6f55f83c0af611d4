// Owns the entry of the `memory` measurement: the real objects, with a way around the gateway for what was verified
// elsewhere, a clock that is told the time, and a snapshot on demand. It refuses to be deployed: nothing here is checked.

import { Region as RealRegion } from "../durable-objects/region.ts";

export { Directory } from "../durable-objects/directory.ts";
export { Feed } from "../durable-objects/feed.ts";
export { Intake } from "../durable-objects/intake.ts";

/** Told from outside; it outlives the object, which may be evicted while nobody asks. */
let marketAtS = 0;

/** A region that believes whoever measures it. */
export class Region extends RealRegion {
  constructor(ctx, env) {
    super(ctx, env);
    const { engine } = this;
    engine.atS = () => Math.max(engine.state.header.atS, marketAtS);
  }

  /** Codes of what was refused; nothing when all is well. */
  async submitMany(submissions) {
    const outcomes = await Promise.all(submissions.map((submission) => this.engine.submit(submission)));
    return outcomes.flatMap((outcome) => ("rejection" in outcome ? [outcome.rejection.code] : []));
  }

  goTo(atS) {
    marketAtS = atS;
    this.engine.wake();
    return null;
  }

  beginSnapshot() {
    this.engine.snapshot();
    return null;
  }

  /** What tells whether a snapshot, an archival or a clearing is still under way. */
  progress() {
    const one = (query) => Number(this.ctx.storage.sql.exec(query).one().n ?? 0);
    return {
      windowFirstSlot: this.engine.state.header.windowFirstSlot,
      generation: one("SELECT MAX(generation) AS n FROM snapshots"),
      archived: one("SELECT MAX(last) AS n FROM segments"),
    };
  }
}

export default {
  async fetch(request, env) {
    const region = env.REGION.getByName("measured");
    const method = new URL(request.url).pathname.slice("/v1/".length);
    if (method === "submit") return Response.json(await region.submitMany(await request.json()));
    if (method === "go-to") return Response.json(await region.goTo(await request.json()));
    if (method === "snapshot") return Response.json(await region.beginSnapshot());
    if (method === "progress") return Response.json(await region.progress());
    if (method === "head") return Response.json(await region.head());
    return new Response(null, { status: 404 });
  },
};

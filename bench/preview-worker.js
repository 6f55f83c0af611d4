// Owns the entry of the `preview` measurement: the region of the memory measurement behind the real gateway, which is told of it.
// It refuses to be deployed: nothing that fills the region is checked.

import gateway from "../workers/gateway.ts";
import { registerProfile } from "../workers/region-access.ts";
import filled from "./memory-worker.js";

export { ChainMirror } from "../durable-objects/chain-mirror.ts";
export { Directory, Feed, Intake, Region } from "./memory-worker.js";

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/v1/governance/")) return gateway.fetch(request, env, context);
    if (pathname !== "/v1/register") return filled.fetch(request, env);
    await registerProfile(env, await request.json());
    return Response.json(null);
  },
};

// Owns the way from a request for a WebSocket to the object that holds it: the first shard of a region with room. It
// refuses requests that ask for no upgrade, and says so when every shard is full.

import type { Feed } from "../durable-objects/feed.ts";
import type { Intake } from "../durable-objects/intake.ts";
import { Refusal } from "./problems.ts";
import { regionOf } from "./region-access.ts";
import type { RequestContext } from "./router.ts";

/** Shards of a region, filled one after the other. */
const SHARDS = 16;

/** Connects a caller to a shard. @throws Refusal `upgrade_required`, or `full` when there is no room. */
export async function connect(
  context: RequestContext,
  shards: DurableObjectNamespace<Feed> | DurableObjectNamespace<Intake>,
  region: string,
  full: "feed_full" | "sockets_full",
): Promise<Response> {
  if (context.req.header("upgrade")?.toLowerCase() !== "websocket") throw new Refusal("upgrade_required");
  await regionOf(context.env, region);
  for (let shard = 0; shard < SHARDS; shard += 1) {
    const response = await shards
      .getByName(`${region}/${shard}`)
      .fetch(new Request(`https://shard/${region}/${shard}`, context.req.raw));
    if (response.status !== 503) return response;
  }
  throw new Refusal(full, { shards: SHARDS });
}

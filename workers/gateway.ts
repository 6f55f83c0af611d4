// Owns the front door: every HTTP path of the deployment, put together. It refuses unknown paths; each room behind it
// refuses its own.

import { OpenAPIHono } from "@hono/zod-openapi";
import { cors } from "hono/cors";
import { PatternRouter } from "hono/router/pattern-router";
import { type Env, marketClock } from "../durable-objects/environment.ts";
import { rejected } from "../protocol/errors.ts";
import { documentationRoutes } from "./documentation.ts";
import { keepEdgeAwake } from "./edge-access.ts";
import { keepMirrorAwake } from "./mirror-access.ts";
import { problem, problemOfError } from "./problems.ts";
import type { Application } from "./router.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { ballotRoutes } from "./routes/ballots.ts";
import { certificateRoutes } from "./routes/certificates.ts";
import { chainRoutes } from "./routes/chain.ts";
import { commandRoutes } from "./routes/commands.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { journalRoutes } from "./routes/journal.ts";
import { leaseRoutes } from "./routes/leases.ts";
import { moduleRoutes } from "./routes/modules.ts";
import { previewRoutes } from "./routes/previews.ts";
import { providerRoutes } from "./routes/providers.ts";
import { regionRoutes } from "./routes/regions.ts";
import { resourceRoutes } from "./routes/resources.ts";
import { settlementRoutes } from "./routes/settlement.ts";
import { voteRoutes } from "./routes/votes.ts";

export { Auditor } from "../durable-objects/auditor.ts";
export { ChainMirror } from "../durable-objects/chain-mirror.ts";
export { Directory } from "../durable-objects/directory.ts";
export { EdgeRunner } from "../durable-objects/edge-runner.ts";
export { Feed } from "../durable-objects/feed.ts";
export { Intake } from "../durable-objects/intake.ts";
export { JobDesk } from "../durable-objects/job-desk.ts";
export { Provider } from "../durable-objects/provider.ts";
export { Region } from "../durable-objects/region.ts";
export { VoteIndex } from "../durable-objects/vote-index.ts";
export { VoteRelay } from "../durable-objects/vote-relay.ts";

const preflight = cors({ origin: "*", allowHeaders: ["authorization", "content-type"], maxAge: 86_400 });

/** Puts the application together. */
export function createApplication(): Application {
  // Hono's usual choice falls back to a tree where a name and a parameter share a place (`nearest`, `:region`), which
  // took a twentieth of a command's time.
  const application: Application = new OpenAPIHono<{ Bindings: Env }>({ router: new PatternRouter() });
  application.use("/v1/*", (context, next) => {
    if (context.req.method === "OPTIONS") return preflight(context, next);
    // Set before there is a response: a header added to one makes Hono build it twice.
    context.header("access-control-allow-origin", "*");
    return next();
  });
  // A clock that must not run is told as that by every path, not as a fault of the region it would reach.
  application.use("/v1/*", async (context, next) => {
    marketClock(context.env);
    keepMirrorAwake(context);
    keepEdgeAwake(context);
    await next();
  });
  application.onError((error, context) => problemOfError(error, context));
  application.notFound((context) => {
    const methods = application.routes
      .filter(({ path }) => matches(path, context.req.path))
      .map(({ method }) => method);
    const known = [...new Set(methods.filter((method) => method !== "ALL"))];
    if (known.length > 0) context.header("allow", known.join(", "));
    return problem(
      context,
      rejected(known.length > 0 ? "method_not_allowed" : "route_not_found", { path: context.req.path }),
    );
  });
  regionRoutes(application);
  commandRoutes(application);
  resourceRoutes(application);
  providerRoutes(application);
  leaseRoutes(application);
  moduleRoutes(application);
  jobRoutes(application);
  accountRoutes(application);
  certificateRoutes(application);
  settlementRoutes(application);
  chainRoutes(application);
  previewRoutes(application);
  voteRoutes(application);
  ballotRoutes(application);
  journalRoutes(application);
  documentationRoutes(application);
  return application;
}

/** Whether a path's pattern fits, for telling a wrong method from a wrong path. */
function matches(pattern: string, path: string): boolean {
  const parts = pattern.split("/");
  const pieces = path.split("/");
  return (
    parts.length === pieces.length &&
    parts.every((part, index) => part.startsWith(":") || part === pieces[index])
  );
}

export default createApplication() satisfies ExportedHandler<Env>;

// Owns the path to what a deployment knows of its chain. It refuses nothing: where there is no chain, it says so.

import { chainAnswer } from "../../protocol/chain-answer.ts";
import { mirrorStub } from "../mirror-access.ts";
import { type Application, route } from "../router.ts";

/** Registers the path. */
export function chainRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/chain",
      tag: "deployment",
      summary: "How far this deployment has followed its chain, and what is in the way",
      answers: chainAnswer,
    },
    async ({ context, env }) => context.json(await mirrorStub(env).status()),
  );
}

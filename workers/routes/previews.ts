// Owns the path to the effect of a vote before it: closed epochs paid once more under a draft's values. It refuses nothing by
// itself; what a preview cannot be made of is refused where it is made.

import { previewAnswer, previewRequest } from "../../protocol/preview-answer.ts";
import { previewOf } from "../previews.ts";
import { type Application, route } from "../router.ts";

/** Registers the path. */
export function previewRoutes(application: Application): void {
  route(
    application,
    {
      method: "post",
      path: "/v1/governance/previews",
      tag: "governance",
      summary:
        "What everybody would have received in the last epochs under other values, beside what was paid",
      description:
        "Deliveries, prices and purchases stay as they were. Whether the contract would take the values (steps, cool-downs) is its own to say.",
      body: previewRequest,
      answers: previewAnswer,
    },
    async ({ context, env, body: { region, values, ...options } }) =>
      context.json(await previewOf(env, region, values, options)),
  );
}

// Owns the paths to votes on the chain: what they are made of, proposals, delegates, forms and drafts. It refuses nothing that
// the chain does not; all of it is public there.

import { z } from "zod";
import type { Env } from "../../durable-objects/environment.ts";
import { changesOfDraft, type Draft, draftDocument } from "../../governance/forms/draft.ts";
import { address, bounded, regionId } from "../../protocol/fields.ts";
import { MAX_PROPOSAL_ROWS } from "../../protocol/limits.ts";
import {
  type PreviewAnswer,
  type PreviewOptions,
  previewAnswer,
  previewOptions,
} from "../../protocol/preview-answer.ts";
import {
  ballotAnswer,
  blockAnswer,
  decimal,
  delegateAnswer,
  draftAnswer,
  governanceAnswer,
  operationAnswer,
  parametersAnswer,
  proposalAnswer,
} from "../../protocol/vote-answer.ts";
import { numeral } from "../parts.ts";
import { previewOf } from "../previews.ts";
import { Refusal } from "../problems.ts";
import { type Application, route } from "../router.ts";
import { heard, voteIndex, voteRelay } from "../vote-access.ts";

const tag = "governance";
const proposalParams = z.strictObject({ proposal: decimal });
const proposalPage = z.strictObject({
  from: numeral(bounded(0, Number.MAX_SAFE_INTEGER).default(0)).meta({
    description: "how many of the newest to leave out",
  }),
});
const previewQuery = z.strictObject({
  epochs: numeral(previewOptions.shape.epochs),
  account: previewOptions.shape.account,
  tokenMicros: numeral(previewOptions.shape.tokenMicros),
});
const draftBody = draftDocument.extend({
  proposer: address.meta({ description: "who will send it; the description names this account" }),
  preview: previewOptions.optional().meta({ description: "how its effect is shown; without it none is" }),
});

/** Registers the paths. */
export function voteRoutes(application: Application): void {
  overviewRoutes(application);
  proposalRoutes(application);
  draftRoutes(application);
}

function overviewRoutes(application: Application): void {
  route(
    application,
    {
      ...{ method: "get", path: "/v1/governance", tag },
      summary: "What votes are made of: contracts, settings, token, treasury, and the relay of ballots",
      answers: governanceAnswer,
    },
    async ({ context, env }) => {
      const [overview, relay] = await Promise.all([
        heard(voteIndex(env).overview()),
        heard(voteRelay(env).status()),
      ]);
      return context.json({ ...overview, relay });
    },
  );
  route(
    application,
    {
      ...{ method: "get", path: "/v1/governance/delegates", tag },
      summary: "Who votes for whom, the most votes first",
      answers: z.strictObject({ block: blockAnswer, delegates: z.array(delegateAnswer) }),
    },
    async ({ context, env }) => context.json(await heard(voteIndex(env).delegates())),
  );
  route(
    application,
    {
      ...{ method: "get", path: "/v1/governance/operations", tag },
      summary: "What the timelock holds or held, also what no proposal made",
      answers: z.strictObject({ block: blockAnswer, operations: z.array(operationAnswer) }),
    },
    async ({ context, env }) => context.json(await heard(voteIndex(env).operations())),
  );
  route(
    application,
    {
      ...{ method: "get", path: "/v1/governance/parameters/:region", tag },
      summary: "A region's governed values as a form: what each is, may become by one vote, and from when on",
      params: z.strictObject({ region: regionId }),
      answers: parametersAnswer,
    },
    async ({ context, env, params: { region } }) => {
      const form = await heard(voteIndex(env).form(region));
      if (form === null) throw new Refusal("region_not_found", { region });
      return context.json(form);
    },
  );
}

function proposalRoutes(application: Application): void {
  route(
    application,
    {
      ...{ method: "get", path: "/v1/governance/proposals", tag },
      summary: "Proposals, the newest first",
      query: proposalPage,
      answers: z.strictObject({
        block: blockAnswer,
        proposals: z.array(proposalAnswer),
        next: z.int().nullable(),
      }),
    },
    async ({ context, env, query: { from } }) => {
      const { block, proposals } = await heard(voteIndex(env).proposals());
      const next = from + MAX_PROPOSAL_ROWS;
      const page = proposals.slice(from, next);
      return context.json({ block, proposals: page, next: next < proposals.length ? next : null });
    },
  );
  route(
    application,
    {
      ...{ method: "get", path: "/v1/governance/proposals/:proposal", tag },
      summary: "A proposal with its ballots, the heaviest first",
      params: proposalParams,
      answers: z.strictObject({
        block: blockAnswer,
        proposal: proposalAnswer,
        ballots: z.array(ballotAnswer),
      }),
    },
    async ({ context, env, params }) => context.json(await heard(voteIndex(env).proposal(params.proposal))),
  );
  route(
    application,
    {
      ...{ method: "get", path: "/v1/governance/proposals/:proposal/preview", tag },
      summary: "What a proposal would have done: the last epochs, paid once more under its values",
      params: proposalParams,
      query: previewQuery,
      answers: z.strictObject({ previews: z.array(previewAnswer) }),
    },
    async ({ context, env, params, query }) => {
      const previews: PreviewAnswer[] = [];
      for (const { region, values } of await heard(voteIndex(env).changes(params.proposal)))
        previews.push(await previewOf(env, region, values, query));
      return context.json({ previews });
    },
  );
}

function draftRoutes(application: Application): void {
  route(
    application,
    {
      ...{ method: "post", path: "/v1/governance/drafts", tag },
      summary: "What a draft would be refused for, its calls, and its effect on the last epochs",
      description:
        "Nothing is kept or sent: `transaction` is for the proposer's own wallet. A draft with refusals is answered with them.",
      body: draftBody,
      answers: draftAnswer,
    },
    async ({ context, env, body: { proposer, preview, ...rest } }) => {
      // The decoder has checked it; its type does not say which form has which fields.
      const draft = rest as unknown as Draft;
      const checked = await heard(voteIndex(env).draft(draft, proposer));
      const previews = preview === undefined ? [] : await previewsOf(env, draft, preview);
      return context.json({ ...checked, previews });
    },
  );
}

/** Why a region's past cannot be shown: its form is right all the same. */
const WITHOUT_PAST = new Set([
  "region_not_found",
  "region_not_open",
  "epoch_not_found",
  "parameters_out_of_bounds",
]);

async function previewsOf(env: Env, draft: Draft, options: PreviewOptions): Promise<PreviewAnswer[]> {
  const previews: PreviewAnswer[] = [];
  for (const { region, values } of changesOfDraft(draft)) {
    try {
      previews.push(await previewOf(env, region, values, options));
    } catch (error) {
      if (!(error instanceof Refusal && WITHOUT_PAST.has(error.rejection.code))) throw error;
    }
  }
  return previews;
}

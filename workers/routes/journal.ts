// Owns the paths that let anybody check a region: journal, head, state hash, receipts, health, and the live feed. It
// refuses to hold a download in memory; segments stream from the archive, pages from the region.

import { z } from "zod";
import type { Env } from "../../durable-objects/environment.ts";
import type { JournalPage } from "../../durable-objects/region.ts";
import type { ArchivedSegment } from "../../durable-objects/region-store.ts";
import { headAnswer } from "../../protocol/answers.ts";
import { bytes32, count, entryNumber, type Hex, regionId } from "../../protocol/fields.ts";
import { acceptedAnswer } from "../answers.ts";
import { accepted, numeral, regionParams } from "../parts.ts";
import { regionOf } from "../region-access.ts";
import { type Application, route } from "../router.ts";
import { connect } from "../sockets.ts";

const tag = "audit";

const span = z.strictObject({
  from: numeral(entryNumber.default(1)),
  to: numeral(entryNumber.default(Number.MAX_SAFE_INTEGER)),
});

/** Registers the paths. */
export function journalRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/journal",
      tag,
      summary: "The journal as NDJSON, entries from..to",
      description:
        'A line is {"hash", "entry"}; hash = SHA-256(hash before ‖ "\\n" ‖ the entry\'s exact bytes), the first before being 64 zeroes.',
      params: regionParams,
      query: span,
      answers: { contentType: "application/x-ndjson", description: "journal lines" },
    },
    async ({ context, env, params, query }) => {
      await regionOf(env, params.region);
      const lines = journalLines(env, params.region, query.from, query.to);
      return context.body(streamOf(lines), 200, { "content-type": "application/x-ndjson" });
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/journal/head",
      tag,
      summary: "Where the journal stands",
      params: regionParams,
      answers: headAnswer,
    },
    async ({ context, env, params }) => context.json(await (await regionOf(env, params.region)).head()),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/state",
      tag,
      summary: "SHA-256 over the region's state, and the entry it holds for",
      params: regionParams,
      answers: z.strictObject({ entry: entryNumber, stateHash: bytes32 }),
    },
    async ({ context, env, params }) => context.json(await (await regionOf(env, params.region)).stateHash()),
  );
  checkRoutes(application);
}

function checkRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/receipts/:reference",
      tag,
      summary: "The answer and receipt of an entry, by its number or its command's id",
      params: z.strictObject({
        region: regionId,
        reference: z.union([bytes32, numeral(entryNumber)]),
      }),
      answers: acceptedAnswer,
    },
    async ({ context, env, params }) =>
      accepted(context, await (await regionOf(env, params.region)).answer(params.reference as Hex | number)),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/health",
      tag,
      summary: "Invariants, storage and queue of a region",
      params: regionParams,
      answers: z.strictObject({
        entry: entryNumber,
        violations: z.array(z.string()),
        databaseBytes: count,
        archivedSegments: count,
        rememberedCommands: count,
        queued: count,
        refusals: z.record(z.string(), count).meta({ description: "by code, since the object woke" }),
        atS: count,
      }),
    },
    async ({ context, env, params }) => context.json(await (await regionOf(env, params.region)).health()),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/feed",
      tag: "market",
      summary: "Live events over a WebSocket",
      description:
        "First `hello` with the journal's head, then at most one `frame` per 50 ms. Send `ack N` with the number of characters taken in; a listener 256 kB behind is closed with code 4000, `resync`.",
      params: regionParams,
      status: 101,
      answers: { contentType: "text/plain", description: "switching protocols" },
    },
    ({ context, env, params }) => connect(context, env.FEED, params.region, "feed_full"),
  );
}

/** Journal text in order: archived segments first, then what the region still holds. */
async function* journalLines(env: Env, region: string, from: number, to: number): AsyncGenerator<string> {
  const object = env.REGION.getByName(region);
  let segments = await object.segments();
  let next: number | null = Math.max(1, from);
  for (let isCurrent = false; next !== null && next <= to; ) {
    const at: number = next;
    const segment = segments.find(({ first, last }) => first <= at && at <= last);
    if (segment !== undefined) {
      yield* archivedLines(env, segment, at, to);
      next = segment.last + 1;
      isCurrent = false;
      continue;
    }
    const page: JournalPage = await object.journalPage(at);
    if (page.first !== null && page.first <= at) {
      yield within(page.text, at, to);
      next = page.next;
      isCurrent = false;
      continue;
    }
    // Past the end, or rows have left for the archive during this download: then the list of segments is old.
    if (isCurrent) {
      if (page.first === null) return;
      throw new Error(`entry ${at} is neither in the region nor in the archive`);
    }
    segments = await object.segments();
    isCurrent = true;
  }
}

async function* archivedLines(
  env: Env,
  segment: ArchivedSegment,
  from: number,
  to: number,
): AsyncGenerator<string> {
  const stored = await env.ARCHIVE.get(segment.key);
  if (stored === null) throw new Error(`the archive lacks ${segment.key}`);
  yield within(await stored.text(), from, to);
}

const NUMBER = /"entry":\{"number":([0-9]+)/;

/** Lines whose entry number is in [from, to]. */
function within(text: string, from: number, to: number): string {
  const lines = text.split("\n").filter((line) => {
    const number = Number(NUMBER.exec(line)?.[1] ?? -1);
    return number >= from && number <= to;
  });
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function streamOf(pieces: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
}

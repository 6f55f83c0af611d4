// Owns the referee for tests inside workerd: the real one, in a workerd of its own beside theirs. It refuses nothing by itself.

import type { Request, Response } from "miniflare";
import { LocalReferee } from "../../clients/local/local-referee.ts";

/** Ended soon after its last run: its process would keep the tests' own alive. */
const referee = new LocalReferee({ idleMs: 1_000 });

/** Answers the service binding REFEREE. */
export function refereeService(request: Request): Promise<Response> {
  return referee.fetch(request);
}

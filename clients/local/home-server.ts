// Owns what a household's own agent tells its own household, on loopback only: what was generated and used behind the
// meter. It refuses everybody else: these figures never go to a region.

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Hex } from "../../protocol/fields.ts";
import type { MeterSource } from "../household/meter-source.ts";

/** A household as its home server shows it. */
export interface HomeHousehold {
  readonly name: string;
  readonly account: Hex;
  readonly kind: string;
  readonly region: string;
  readonly meter: MeterSource;
}

const MOST_SLOTS = 4 * 96;

/**
 * Serves `/households` and `/households/<account>/days?from=&until=` on loopback.
 * @param port the wanted port, so that a page left open finds it again after a restart; where it is taken, a free one.
 */
export async function startHomeServer(
  households: readonly HomeHousehold[],
  currentSlot: () => number,
  port = 0,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    // A page of another site must not read it through a name that points here.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? ""))
      return answer(response, 403, { error: "loopback only" });
    const [, root, account, leaf] = url.pathname.split("/");
    if (request.method !== "GET" || root !== "households")
      return answer(response, 404, { error: "no such path" });
    if (account === undefined) {
      return answer(response, 200, { households: households.map(({ meter: _meter, ...shown }) => shown) });
    }
    const household = households.find((candidate) => candidate.account === account.toLowerCase());
    if (household === undefined || leaf !== "days")
      return answer(response, 404, { error: "no such household" });
    const from = Number(url.searchParams.get("from"));
    const until = Math.min(Number(url.searchParams.get("until")), currentSlot(), from + MOST_SLOTS);
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(until))
      return answer(response, 400, { error: "from and until are slots" });
    return answer(response, 200, { slots: slotsOf(household.meter, from, until) });
  });
  await listenOn(server, port).catch(() => listenOn(server, 0));
  const address = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${address.port}`, close: () => closeServer(server) };
}

function slotsOf(
  meter: MeterSource,
  from: number,
  until: number,
): { slot: number; generationWh: number; loadWh: number }[] {
  const slots = [];
  for (let slot = from; slot < until; slot += 1) {
    const reading = meter.read(slot);
    if (reading?.generationWh == null || reading.loadWh === null) continue;
    slots.push({ slot, generationWh: reading.generationWh, loadWh: reading.loadWh });
  }
  return slots;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "access-control-allow-origin": "*" });
  response.end(JSON.stringify(body));
}

function listenOn(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

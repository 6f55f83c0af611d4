// Owns an endpoint that a deployment reaches over HTTP, with a real chain behind it. It refuses to change what passes, but for
// what a test does at that moment.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a request asks for, before it goes on to the chain. */
export type Passing = (methods: readonly string[]) => void | Promise<void>;

export interface EndpointServer {
  readonly url: string;
  /** Told of every request; the request goes on when it has returned, and breaks off where it throws. */
  passing: Passing | null;
  stop(): Promise<void>;
}

/** Serves on a free port of this machine. */
export async function startEndpoint(chainUrl: string): Promise<EndpointServer> {
  const endpoint: { passing: Passing | null } = { passing: null };
  const server = createServer(async (request, response) => {
    try {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces).toString();
      const methods = [JSON.parse(body)].flat().map(({ method }: { method: string }) => method);
      await endpoint.passing?.(methods);
      const answer = await fetch(chainUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      response.writeHead(200, { "content-type": "application/json" }).end(await answer.text());
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(endpoint, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

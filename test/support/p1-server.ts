// Owns a P1 port behind a socket, as ser2net offers one: whatever is sent goes to everybody who listens. It refuses to
// keep anything for those who come later.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A serial line on a socket. */
export interface P1Server {
  readonly port: number;
  /** How often somebody connected. */
  readonly connections: () => number;
  readonly isHeard: () => boolean;
  /** Sends bytes to whoever listens. */
  send(text: string): void;
  /** Ends every connection. */
  hangUp(): void;
  stop(): Promise<void>;
}

/** Starts a line on loopback. `greeting` is what a listener that comes is sent first. */
export async function startP1Server(greeting = ""): Promise<P1Server> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.write(greeting, "latin1");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    isHeard: () => sockets.size > 0,
    send(text) {
      for (const socket of sockets) socket.write(text, "latin1");
    },
    hangUp,
    async stop() {
      hangUp();
      server.close();
      await once(server, "close");
    },
  };
}

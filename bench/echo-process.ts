// Owns the process at the far end of the peer of a lease's runs: it sends back whatever it gets. It refuses nothing.

import { WebSocket } from "ws";

process.on("message", (url: string) => {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on("message", (data, isBinary) => socket.send(isBinary ? data : String(data)));
  socket.on("open", () => process.send?.({ isOpen: true }));
});

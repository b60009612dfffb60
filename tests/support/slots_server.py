"""A server of known capacity: a number of slots, each of which serves a request in a fixed time.

    python slots_server.py [--port 0] [--slots 2] [--service-ms 20]

Requests wait for a slot in the order of their arrival. With U users who never pause, and so U
requests in the service, every latency is max(1, U / slots) × the service time, so the capacity for
a goal follows by calculation. Prints its port. Needs only Python, so that it runs in containers.
"""

import argparse
import asyncio

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def serve(port: int, slots: int, service_s: float, host: str) -> None:
    """Serve until the process is terminated."""
    free = asyncio.Semaphore(slots)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"GET /health"):
                    async with free:
                        await asyncio.sleep(service_s)
                writer.write(RESPONSE)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, host, port, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  # the result
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve with the arguments of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--service-ms", type=float, default=20.0)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.slots, options.service_ms / 1000, options.host))


if __name__ == "__main__":
    main()

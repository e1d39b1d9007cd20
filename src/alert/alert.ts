/** Something that was seen and is not expected. */
export interface Alert {
  /** A service that is not in the list, or a client that is not among those of the service. */
  readonly alert: "unexpected-service" | "unexpected-client";
  /** When it was seen, in ISO 8601. */
  readonly time: string;
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  /** What decided who is the client. */
  readonly by: string;
}

/** An alert in words. */
export function alertText({ alert, client, server, port, protocol, by }: Alert): string {
  const service = `${server} port ${port}/${protocol}`;
  return alert === "unexpected-service"
    ? `${service} is not expected: ${client} used it (${by})`
    : `${client} is not expected at ${service} (${by})`;
}

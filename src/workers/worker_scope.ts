/** What a worker has for a global object, as far as it is used. */
export interface WorkerScope<ToWorker, FromWorker> {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

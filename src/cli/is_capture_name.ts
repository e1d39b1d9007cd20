const CAPTURE_NAME = /\.(pcap|pcapng|cap|dump|dmp)\d*(\.(gz|zst|bz2|xz|lz4))?$/i;

/** Whether saved captures are called so. */
export function isCaptureName(name: string): boolean {
  return CAPTURE_NAME.test(name);
}

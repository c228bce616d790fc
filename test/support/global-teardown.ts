/** Stops the server of the run; its folder is temporary. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.cpgTestServer?.stop();
}

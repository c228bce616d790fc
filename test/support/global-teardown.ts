import { rmSync } from 'node:fs';

/** Stops the server of the run and removes all that the run has left. */
export default async function globalTeardown(): Promise<void> {
  const { server, folder } = globalThis.cpgTestServer ?? {};
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
}

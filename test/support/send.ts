import { type Dispatcher, request } from 'undici';

export interface Sent {
  status: number;
  headers: Headers;
  text: string;
}

export interface SendOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** One call as it is; a redirect is an answer. The suites make tens of thousands of them, and `fetch` takes twice as long for each. */
export async function send(url: string, { method = 'GET', headers, body }: SendOptions = {}): Promise<Sent> {
  const answer = await request(url, {
    method: method as Dispatcher.HttpMethod, headers: { accept: '*/*', 'user-agent': 'node', ...headers }, body,
  });
  const received = new Headers();
  for (const [name, values] of Object.entries(answer.headers)) for (const value of [values ?? []].flat()) received.append(name, value);
  return { status: answer.statusCode, headers: received, text: await answer.body.text() };
}

/** JSON as it was sent; undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { z } from 'zod';
import { visibleText } from '../validation';

export const signatureBody = z.strictObject({
  timestamp: visibleText(0, 100).meta({ description: 'The value of `X-Timestamp`.', examples: ['1763600000'] }),
  method: visibleText(1, 10).meta({ examples: ['POST'] }),
  path: visibleText(1, 4096).startsWith('/', 'must start with /')
    .meta({ description: 'With its query, exactly as sent.', examples: ['/v1/payments'] }),
  idempotency_key: visibleText(0, 255).default('').meta({ description: 'The value of `Idempotency-Key`, or nothing.' }),
  body: z.string().default('').meta({ description: 'The raw body as text, or nothing.' }),
});
export type SignatureBody = z.output<typeof signatureBody>;

export const signedLines = z.object({
  lines: z.array(z.string()).length(5).meta({ description: 'What is signed: these lines, joined by one line feed, none at the end.' }),
  body_sha256: z.string(),
  body_bytes: z.int().meta({ description: 'The body\'s length in UTF-8.' }),
});

export const seenRequest = z.object({
  ip: z.string().nullable().meta({ description: 'Whom limits and allowlists take you for.' }),
  api_version: z.string().nullable(),
  request_id: z.string(),
  forwarding_headers: z.array(z.string()).meta({ description: 'Names of the forwarding headers that arrived.' }),
  peer_trusted: z.boolean().meta({ description: 'Whether the connection came from a trusted proxy, whose X-Forwarded-For is believed.' }),
});

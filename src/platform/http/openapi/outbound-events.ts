import { EVENT_TYPES, TEST_EVENT_TYPE } from '../../outbox/event-types';

const header = (name: string, description: string, example: string) => ({
  name, in: 'header', required: true, description, schema: { type: 'string' }, example,
});

/**
 * What the gateway sends to merchants' endpoints, as OpenAPI 3.1 describes calls in the other direction. Signed by Standard
 * Webhooks 1.0.0, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
 */
export function outboundEvents(): Record<string, unknown> {
  return {
    event: {
      post: {
        operationId: 'receiveEvent',
        tags: ['Webhooks'],
        summary: 'An event, as your endpoint receives it',
        description: 'Verify the signature over `webhook-id.webhook-timestamp.body` with your endpoint\'s secret, answer with 2xx at once, and '
          + 'work later. Delivered at least once, in any order: drop what you have seen by `webhook-id`.',
        security: [],
        parameters: [
          header('webhook-id', 'The event\'s id, the same on every attempt.', 'evt_019a9f0c2b7e4f3a9d1c5b8e7a6f0d21'),
          header('webhook-timestamp', 'Unix seconds of this attempt.', '1767225600'),
          header('webhook-signature', 'One `v1,<base64>` for each secret in force, with spaces between.', 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='),
        ],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['type', 'timestamp', 'data'],
                properties: {
                  type: { type: 'string', enum: [...EVENT_TYPES, TEST_EVENT_TYPE] },
                  timestamp: { type: 'string', format: 'date-time', description: 'When it happened.' },
                  data: { type: 'object', description: 'The object as the API showed it at that moment.' },
                },
              },
            },
          },
        },
        responses: {
          '2XX': { description: 'Delivered.' },
          '410': { description: 'The endpoint is gone: it is disabled.' },
          default: { description: 'Anything else, a redirect too, is a failure and is tried again: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h. '
            + '`Retry-After` is honoured.' },
        },
      },
    },
  };
}

/** The first page of the document: what a developer needs before the first call. Markdown. */
export const INTRODUCTION = `
Takes payments for merchants, keeps their balances in a double-entry ledger and tells them what happens by webhook.

## Call
Send your API key in \`X-API-Key\`. A test key (\`cpg_test_…\`) and a live key (\`cpg_live_…\`) open separate books.

## Sign
Every call that is not a GET carries \`X-Timestamp\` (unix seconds, at most 300 s off) and \`X-Signature: v1=<hex>\`:
HMAC-SHA256 with your signing secret over these five lines, joined by one line feed, none at the end:

1. the value of \`X-Timestamp\`
2. the method in capitals
3. the path with its query, exactly as sent
4. the value of \`Idempotency-Key\`, or nothing
5. lower-case hex SHA-256 of the raw body (of nothing when there is none)

For example, with bash, curl and openssl:

\`\`\`bash
BODY='{"amount":"25.00","currency":"USD","method":"simulated"}'
TIME=$(date +%s); IDEMPOTENCY_KEY=order-1001
HASH=$(printf '%s' "$BODY" | openssl dgst -sha256 -r | cut -d' ' -f1)
SIGNATURE=$(printf '%s\\nPOST\\n/v1/payments\\n%s\\n%s' "$TIME" "$IDEMPOTENCY_KEY" "$HASH" \\
  | openssl dgst -sha256 -r -hmac "$SIGNING_SECRET" | cut -d' ' -f1)
curl "$URL/v1/payments" -d "$BODY" -H 'Content-Type: application/json' -H "X-API-Key: $API_KEY" \\
  -H "Idempotency-Key: $IDEMPOTENCY_KEY" -H "X-Timestamp: $TIME" -H "X-Signature: v1=$SIGNATURE"
\`\`\`

## Sign in
People of a merchant read everything, and owners and developers change settings, keys and endpoints, without a key:
\`POST /v1/auth/login\`, then \`Authorization: Bearer <access_token>\`. Such calls are not signed, an \`Idempotency-Key\` is optional, and
\`X-Livemode: true\` opens the live book instead of the test book. Money moves by key only.

## Repeat
Every POST by key needs an \`Idempotency-Key\`: a new one for each new request, the same one when you repeat it.
A repetition is answered with the stored answer and \`Idempotency-Replayed: true\`; nothing happens twice.

## Money, times, lists
Amounts are decimal strings such as \`"25.00"\`; JSON numbers are refused. Times are RFC 3339 in UTC.
Lists are newest first; go on with \`starting_after\` and the last \`id\` while \`has_more\` is true.

## Errors
Every error is \`application/problem+json\`. Switch on its \`code\`: a code keeps its meaning and its status.
Tell us the \`request_id\` when you ask for help.
`.trim();

import { createHash } from 'node:crypto';
import type { LinkAction } from '../account-mail';

/** What a page says and what it sends. */
interface PageText {
  title: string;
  text: string;
  /** Relative, so that it also holds behind a proxy that serves the gateway below a path. */
  target: string;
  button: string;
  done: string;
  /** Whether a password is chosen here, and whether it may need a code of a second factor. */
  password?: 'first' | 'new';
}

const PAGES: Readonly<Record<LinkAction, PageText>> = {
  confirm: {
    title: 'Confirm your e-mail address', text: 'One click, and your address is confirmed.', target: '../v1/auth/email/verify',
    button: 'Confirm', done: 'Your e-mail address is confirmed. You can log in with it now.',
  },
  reset: {
    title: 'Set a new password', text: 'All your sessions will end; log in with the new password afterwards.',
    target: '../v1/auth/password/reset/confirm', button: 'Set password',
    done: 'Your password is changed. You can log in with it now.', password: 'new',
  },
  invitation: {
    title: 'Accept the invitation', text: 'Choose the password that you will log in with.', target: '../v1/auth/password/reset/confirm',
    button: 'Accept', done: 'Welcome! You can log in with your password now.', password: 'first',
  },
};

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; }
main { box-sizing: border-box; width: min(26rem, 100%); padding: 1.5rem; }
h1 { font-size: 1.4rem; line-height: 1.2; }
label { display: block; margin: 1rem 0; }
input, button { box-sizing: border-box; width: 100%; padding: .7rem; font: inherit; border: 1px solid #888; border-radius: .4rem; }
button { border: 0; background: #14532d; color: #fff; cursor: pointer; }
button:disabled { opacity: .5; }
.bad { color: #b91c1c; }
@media (prefers-color-scheme: dark) { .bad { color: #fca5a5; } }
`;

/** Takes the token out of the address line at once, so that it stays in no history. */
const SCRIPT = `
'use strict';
const form = document.querySelector('form');
const answer = document.querySelector('#answer');
const token = new URLSearchParams(location.hash.slice(1)).get('token');
history.replaceState(null, '', location.pathname);
const say = (text, good) => { answer.textContent = text; answer.className = good ? 'good' : 'bad'; if (good) form.hidden = true; };
form.hidden = !token;
if (!token) say('This link is not complete. Open the whole link of the mail again.', false);
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  const body = { token };
  for (const { name, value } of form.querySelectorAll('input')) if (value) body[name] = value;
  try {
    const response = await fetch(form.dataset.target, {
      method: 'POST', credentials: 'omit', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    });
    say(response.ok ? form.dataset.done : (await response.json()).detail, response.ok);
  } catch {
    say('The server could not be reached. Try again in a moment.', false);
  }
  button.disabled = false;
});
`;

/** Nothing is loaded from anywhere: the one script and the one style are allowed by their digests (CSP level 3). */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'", `script-src '${digest(SCRIPT)}'`, `style-src '${digest(STYLE)}'`, "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** The page behind a link of a mail; undefined for what no link leads to. */
export function accountPage(action: string): string | undefined {
  return Object.hasOwn(PAGES, action) ? render(PAGES[action as LinkAction]) : undefined;
}

function render({ title, text, target, button, done, password }: PageText): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<form data-target="${target}" data-done="${done}" hidden>
<p>${text}</p>
${password ? passwordField() : ''}${password === 'new' ? codeField() : ''}<button>${button}</button>
</form>
<p id="answer" role="status"></p>
<noscript><p>This page needs JavaScript.</p></noscript>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function passwordField(): string {
  return `<label>New password, at least 12 characters
<input name="password" type="password" autocomplete="new-password" minlength="12" required></label>
`;
}

function codeField(): string {
  return `<label>Code of your second factor, if you have one
<input name="code" autocomplete="one-time-code" autocapitalize="off" maxlength="40"></label>
`;
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

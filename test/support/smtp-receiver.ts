import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { type ReadMail, readMail } from './mailbox';

/** A mail as the server took it, with the addresses of its envelope. */
export interface Taken extends ReadMail {
  from: string;
  recipients: string[];
  user?: string;
  encrypted: boolean;
}

type Refusal = 'drop' | { code: number; text: string };

/** A mail server that takes mail, or treats it as a test wants. It also offers STARTTLS, with a certificate that nobody trusts. */
export class SmtpReceiver {
  readonly taken: Taken[] = [];
  /** Recipients that were asked for, refused ones too, in order. */
  readonly asked: string[] = [];
  private readonly refusals = new Map<string, Refusal[]>();
  private readonly waiting = new Set<() => void>();
  private readonly server: SMTPServer;

  private constructor(options: SMTPServerOptions, login?: { user: string; password: string }) {
    this.server = new SMTPServer({
      authOptional: !login,
      allowInsecureAuth: true,
      // Spoken out, it keeps the server from warning of the certificate that it brings along.
      logger: false,
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth: ({ username, password }, _session, callback) => {
        const isRight = username === login?.user && password === login?.password;
        callback(isRight ? null : replyOf(535, 'Wrong name or password'), { user: username });
      },
      onRcptTo: ({ address }, _session, callback) => {
        this.asked.push(address);
        this.wake();
        const refusal = this.refusals.get(address)?.shift();
        if (refusal === 'drop') this.hangUp();
        else callback(refusal && replyOf(refusal.code, refusal.text));
      },
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.taken.push({
            ...readMail(Buffer.concat(chunks).toString('utf8')),
            from: mailFrom ? mailFrom.address : '',
            recipients: rcptTo.map(({ address }) => address),
            user: session.user,
            encrypted: session.secure,
          });
          callback();
          this.wake();
        });
      },
      ...options,
    });
    // A client that breaks off, and one that does not like the certificate, are told to the server as errors.
    this.server.on('error', () => undefined);
  }

  static async start(options: SMTPServerOptions & { login?: { user: string; password: string } } = {}): Promise<SmtpReceiver> {
    const { login, ...more } = options;
    const receiver = new SmtpReceiver(more, login);
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server.server, 'listening');
    return receiver;
  }

  /** Where the gateway finds it. */
  url(login = '', query = ''): string {
    return `smtp://${login && `${login}@`}127.0.0.1:${(this.server.server.address() as AddressInfo).port}${query}`;
  }

  /** Refuses the next mails to that address, one after the other; later ones are taken. */
  refuse(address: string, ...refusals: Refusal[]): void {
    this.refusals.set(address, refusals);
  }

  /** Waits for a mail to that address to be taken. */
  async arrived(address: string): Promise<Taken> {
    for (;;) {
      const mail = this.taken.find(({ recipients }) => recipients.includes(address));
      if (mail) return mail;
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private hangUp(): void {
    for (const connection of this.server.connections) (connection as { _socket: { destroy(): void } })._socket.destroy();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

function replyOf(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

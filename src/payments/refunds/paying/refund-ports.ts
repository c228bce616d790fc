import { Injectable } from '@nestjs/common';
import type { Tx } from '../../../platform/database/unit-of-work';
import type { PaymentMethod } from '../../payment';
import type { Refund } from '../refund';

/** Gives money back through the provider that took it. How it ended is written with RefundChanges. */
export interface RefundPort {
  /** Stores what is to be sent, in the transaction that makes the refund `pending`. Nothing is sent before that has committed. */
  order(tx: Tx, refund: Refund): Promise<void>;
}

/** The ports of the providers that this gateway is set up with, by the method of the payments that they took. */
@Injectable()
export class RefundPorts {
  private readonly ports = new Map<string, RefundPort>();

  /** Called once at start by each provider's adapter. */
  register(method: PaymentMethod, port: RefundPort): void {
    if (this.ports.has(method)) throw new Error(`Refunds of ${method} have a port already.`);
    this.ports.set(method, port);
  }

  /** The port of a method; undefined where none is set up. */
  of(method: Refund['method']): RefundPort | undefined {
    return this.ports.get(method);
  }
}

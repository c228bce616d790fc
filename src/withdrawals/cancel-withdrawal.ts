import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import { currentAccess } from '../platform/http/request-context';
import { WithdrawalChanges } from './withdrawal-changes';
import { findInBook } from './withdrawal-lookup';
import { presentWithdrawal, type WithdrawalObject } from './withdrawal-presenter';

/** Takes a withdrawal back that nobody has approved: the funds are available again. */
@Injectable()
export class CancelWithdrawal {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly changes: WithdrawalChanges,
  ) {}

  /** 404 when it is not the caller's, 409 when a decision about it came first. */
  cancel(id: string): Promise<WithdrawalObject> {
    return this.unitOfWork.run(async (tx) => {
      const before = await findInBook(tx.query, currentAccess(), id, true);
      return presentWithdrawal(await this.changes.move(tx, before, 'cancel'));
    });
  }
}

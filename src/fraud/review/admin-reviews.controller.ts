import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES } from '../../platform/http/roles';
import { DecideReview } from './decide-review';
import { ReviewReader } from './review-reader';
import {
  decideReviewBody, type DecideReviewBody, listReviewsQuery, type ListReviewsQuery, reviewId, reviewObject, reviewPage,
} from './reviews.dto';

/** Payments and withdrawals that are held until somebody has looked at them. */
@ApiTags('Staff: risk')
@Controller('v1/admin/risk/reviews')
export class AdminReviewsController {
  constructor(
    private readonly reviews: ReviewReader,
    private readonly deciding: DecideReview,
  ) {}

  @Get()
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'List what is held for review, newest first: open payments, unless status and subject say otherwise', answer: reviewPage,
  })
  list(@Query({ schema: listReviewsQuery }) query: ListReviewsQuery) {
    return this.reviews.list(query);
  }

  @Get(':id')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'Get a review with the signals that led to it', answer: reviewObject, problems: ['not_found'],
  })
  get(@Param({ schema: reviewId }) { id }: { id: string }) {
    return this.reviews.get(id);
  }

  @Post(':id/release')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'decision', audit: 'review.released',
    summary: 'Let what was held go on its way', answer: reviewObject, problems: ['self_approval', 'not_found', 'state_conflict'],
  })
  release(@Param({ schema: reviewId }) { id }: { id: string }, @Body({ schema: decideReviewBody }) { reason }: DecideReviewBody) {
    return this.deciding.release(id, reason);
  }

  @Post(':id/reject')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'decision', audit: 'review.rejected',
    summary: 'End what was held: a payment is canceled, a withdrawal rejected', answer: reviewObject, problems: ['not_found', 'state_conflict'],
  })
  reject(@Param({ schema: reviewId }) { id }: { id: string }, @Body({ schema: decideReviewBody }) { reason }: DecideReviewBody) {
    return this.deciding.reject(id, reason);
  }
}

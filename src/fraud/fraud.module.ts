import { Module } from '@nestjs/common';
import { AnnounceState } from './announce-state';
import { AssessPayment } from './assessments/assess-payment';
import { AssessRefund } from './assessments/assess-refund';
import { AssessWithdrawal } from './assessments/assess-withdrawal';
import { MissingAssessments } from './assessments/missing-assessments';
import { RiskEngine } from './assessments/risk-engine';
import { SharedRounds } from './assessments/shared-rounds';
import { CleanSightings } from './clean-sightings';
import { GeoModule } from './geo/geo.module';
import { CardTestingGuard } from './guard/card-testing-guard';
import { AdminModelsController } from './model/admin-models.controller';
import { ModelStore } from './model/model-store';
import { TallyDays } from './model/tally-days';
import { TrainingHistory } from './model/training-history';
import { AdminReviewsController } from './review/admin-reviews.controller';
import { DecideReview } from './review/decide-review';
import { ReviewReader } from './review/review-reader';
import { ReviewSubjects } from './review/review-subjects';
import { FraudSummary } from './fraud-summary';
import { RiskFactors } from './risk-factors';
import { AdminRulesController } from './rules/admin-rules.controller';
import { Backtest } from './rules/backtest';
import { Definitions } from './rules/definitions';
import { RuleBook } from './rules/rule-book';

/** How risky payments, withdrawals, refunds and logins look; what follows from it is for the feature that asks. */
@Module({
  imports: [GeoModule],
  controllers: [AdminRulesController, AdminReviewsController, AdminModelsController],
  providers: [
    RuleBook, RiskEngine, SharedRounds, MissingAssessments, AssessPayment, AssessWithdrawal, AssessRefund, CardTestingGuard, ReviewSubjects, ReviewReader, DecideReview,
    Definitions, Backtest, AnnounceState, CleanSightings, RiskFactors, FraudSummary,
    ModelStore, TrainingHistory, TallyDays,
  ],
  exports: [
    GeoModule, RiskEngine, AssessPayment, AssessWithdrawal, AssessRefund, CardTestingGuard, ReviewSubjects, RuleBook, Backtest,
  ],
})
export class FraudModule {}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Switches, what people decide, where money may go, withdrawals and refunds, and every attempt to pay one out. */
export class MoneyOut1763600000007 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table switches (
        id text collate "C" primary key check (id in ('payments', 'withdrawals') or id ~ '^cli_'),
        paused boolean not null,
        reason text not null check (length(reason) between 1 and 500),
        changed_by text collate "C" not null,
        changed_at timestamptz not null default clock_timestamp()
      );
      comment on table switches is 'What is paused: all payments, all withdrawals, or one client. Read by the statements that move money.';

      create table destinations (
        client_id text collate "C" not null references clients (id),
        livemode boolean not null,
        id text collate "C" not null,
        type text not null check (type in ('tron_address', 'bank_account')),
        address text collate "C",
        iban text collate "C",
        holder text check (length(holder) between 1 and 140),
        whole text collate "C" not null generated always as (coalesce(address, iban || ' ' || holder)) stored,
        created_by text collate "C" not null,
        created_at timestamptz not null default now(),
        active_at timestamptz not null,
        deleted_at timestamptz,
        primary key (client_id, livemode, id),
        check ((type = 'tron_address') = (address is not null)),
        check ((type = 'bank_account') = (iban is not null and holder is not null))
      );
      create unique index destinations_once on destinations (client_id, livemode, whole) where deleted_at is null;
      comment on column destinations.whole is 'The destination as it is shown to people and signed by them; never a part of it.';

      create table withdrawals (
        client_id text collate "C" not null references clients (id),
        livemode boolean not null,
        id text collate "C" not null,
        status text not null check (status in ('pending_review', 'approved', 'processing', 'completed', 'rejected', 'canceled', 'failed')),
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        currency text not null,
        destination_id text collate "C" not null,
        destination text collate "C" not null,
        requested_by text collate "C" not null,
        approvals_required integer not null check (approvals_required between 1 and 5),
        approvals integer not null default 0,
        completions integer not null default 0,
        risk jsonb not null,
        hold_id text collate "C" not null,
        settled_by text check (settled_by in ('chain', 'simulator', 'people')),
        transaction_hash text,
        failure text,
        revision bigint not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (client_id, livemode, id),
        foreign key (client_id, livemode, destination_id) references destinations (client_id, livemode, id),
        foreign key (client_id, hold_id) references ledger_transfers (client_id, id),
        constraint withdrawals_are_approved check (status not in ('approved', 'processing', 'completed') or approvals >= approvals_required),
        constraint withdrawals_are_settled check ((status = 'completed') = (settled_by is not null)),
        constraint withdrawals_by_two_people check (settled_by is distinct from 'people' or completions >= 2),
        constraint withdrawals_simulated_are_test check (settled_by is distinct from 'simulator' or not livemode)
      );
      create index withdrawals_by_status on withdrawals (client_id, livemode, status, id);
      create index withdrawals_by_destination on withdrawals (client_id, livemode, destination_id, id);
      create index withdrawals_queue on withdrawals (status, livemode, id);
      create index withdrawals_by_id on withdrawals (id);

      create table refunds (
        client_id text collate "C" not null references clients (id),
        livemode boolean not null,
        id text collate "C" not null,
        payment_id text collate "C",
        deposit_id text collate "C",
        status text not null check (status in ('pending', 'requires_approval', 'succeeded', 'failed')),
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        currency text not null,
        method text not null,
        reason text,
        destination text collate "C" not null default '',
        requested_by text collate "C" not null,
        approvals_required integer not null check (approvals_required between 0 and 5),
        approvals integer not null default 0,
        risk jsonb not null,
        hold_id text collate "C" not null,
        transaction_hash text,
        failure text,
        revision bigint not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (client_id, livemode, id),
        foreign key (client_id, livemode, payment_id) references payments (client_id, livemode, id),
        foreign key (client_id, hold_id) references ledger_transfers (client_id, id),
        constraint refunds_of_one_thing check ((payment_id is null) <> (deposit_id is null)),
        constraint refunds_are_approved check (status not in ('pending', 'succeeded') or approvals >= approvals_required)
      );
      create index refunds_by_payment on refunds (client_id, livemode, payment_id, id) where payment_id is not null;
      create index refunds_by_status on refunds (client_id, livemode, status, id);
      create index refunds_queue on refunds (status, livemode, id);
      create index refunds_by_id on refunds (id);

      create table payment_overrides (
        client_id text collate "C" not null,
        livemode boolean not null,
        payment_id text collate "C" not null,
        requested_by text collate "C" not null,
        revision bigint not null,
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        currency text not null,
        destination text collate "C" not null,
        provider text collate "C" not null,
        reference text collate "C" not null,
        reason text not null check (length(reason) between 1 and 500),
        evidence text not null check (length(evidence) between 1 and 2000),
        signature text not null,
        public_key text not null,
        signed_at timestamptz not null,
        created_at timestamptz not null default now(),
        primary key (client_id, livemode, payment_id),
        foreign key (client_id, livemode, payment_id) references payments (client_id, livemode, id)
      );
      comment on table payment_overrides is 'A payment that somebody says was paid although no provider told it, waiting for a second person.';

      create table decisions (
        client_id text collate "C" not null,
        livemode boolean not null,
        subject_id text collate "C" not null,
        decision text not null check (decision in ('approve', 'reject', 'complete', 'fail', 'succeed')),
        person_id text collate "C" not null,
        requested_by text collate "C" not null,
        revision bigint not null,
        amount_minor numeric(38, 0) not null,
        currency text not null,
        destination text collate "C" not null,
        evidence text,
        simulated boolean not null default false,
        signature text,
        public_key text,
        signed_at timestamptz,
        created_at timestamptz not null default now(),
        primary key (client_id, livemode, subject_id, decision, person_id),
        constraint decisions_four_eyes check (person_id <> requested_by),
        constraint decisions_are_signed check (simulated or (signature is not null and public_key is not null and signed_at is not null)),
        constraint decisions_simulated_are_test check (not (simulated and livemode))
      );
      -- One voice each: who approved cannot reject, nor approve again.
      create unique index decisions_one_voice on decisions (client_id, livemode, subject_id, person_id) where decision in ('approve', 'reject');
      comment on table decisions is 'What people decided and signed, word for word. Append-only.';
      create trigger decisions_append_only before update or delete on decisions for each row execute function refuse_change();
      create trigger decisions_no_truncate before truncate on decisions for each statement execute function refuse_change();

      -- The words that were signed must be those of the object as it is now: nobody approves what has changed since, or another amount.
      create function check_decision() returns trigger language plpgsql as $$
      declare
        v_subject record;
      begin
        if new.subject_id ~ '^wd_' then
          select requested_by, revision, amount_minor, currency, destination into v_subject from withdrawals
           where client_id = new.client_id and livemode = new.livemode and id = new.subject_id;
        elsif new.subject_id ~ '^ref_' then
          select requested_by, revision, amount_minor, currency, destination into v_subject from refunds
           where client_id = new.client_id and livemode = new.livemode and id = new.subject_id;
        else
          select requested_by, revision, amount_minor, currency, destination into v_subject from payment_overrides
           where client_id = new.client_id and livemode = new.livemode and payment_id = new.subject_id;
        end if;
        if v_subject is distinct from row(new.requested_by, new.revision, new.amount_minor, new.currency, new.destination) then
          raise exception 'the decision is about another state of %', new.subject_id
            using errcode = 'check_violation', constraint = 'decisions_match_their_subject', table = 'decisions';
        end if;
        return new;
      end $$;
      create trigger decisions_match_their_subject before insert on decisions for each row execute function check_decision();

      -- Voices are counted here and nowhere else: a status that needs approvals cannot be reached without their rows.
      create function count_decision() returns trigger language plpgsql as $$
      begin
        update withdrawals
           set approvals = approvals + (new.decision = 'approve')::integer, completions = completions + (new.decision = 'complete')::integer
         where client_id = new.client_id and livemode = new.livemode and id = new.subject_id;
        update refunds set approvals = approvals + (new.decision = 'approve')::integer
         where client_id = new.client_id and livemode = new.livemode and id = new.subject_id;
        return null;
      end $$;
      create trigger decisions_are_counted after insert on decisions for each row execute function count_decision();

      create table payouts (
        client_id text collate "C" not null,
        livemode boolean not null,
        id text collate "C" not null,
        subject_id text collate "C" not null,
        attempt integer not null check (attempt > 0),
        port text not null check (port in ('manual', 'simulator')),
        status text not null check (status in ('created', 'sending', 'unknown', 'completed', 'failed')),
        amount_minor numeric(38, 0) not null check (amount_minor > 0),
        currency text not null,
        destination text collate "C" not null,
        sends integer not null default 0,
        reference text collate "C",
        begun_by text collate "C",
        failure text,
        not_before timestamptz not null,
        next_check_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        revision bigint not null default 1,
        primary key (client_id, livemode, id),
        unique (client_id, livemode, subject_id, attempt),
        constraint payouts_simulated_are_test check (port <> 'simulator' or not livemode),
        constraint payouts_end_is_final check ((status in ('completed', 'failed')) = (next_check_at is null) or port = 'manual')
      );
      -- While an attempt may have paid there is no second one: this index is what a double payout would have to get past.
      create unique index payouts_one_alive on payouts (client_id, livemode, subject_id) where status <> 'failed';
      create index payouts_due on payouts (next_check_at) where next_check_at is not null;

      create table payout_references (
        provider text collate "C" not null,
        reference text collate "C" not null,
        client_id text collate "C" not null,
        livemode boolean not null,
        payout_id text collate "C" not null,
        primary key (provider, reference)
      );
      comment on table payout_references is 'Routing: leads from an outside name of money that left, such as a chain transfer, to the one payout that it paid.';

      create table simulated_payouts (
        client_id text collate "C" not null,
        livemode boolean not null check (not livemode),
        seq bigint generated always as identity,
        payout_id text collate "C" not null,
        paid_at timestamptz not null default clock_timestamp(),
        primary key (client_id, livemode, seq)
      );
      create index simulated_payouts_by_payout on simulated_payouts (client_id, livemode, payout_id);
      comment on table simulated_payouts is 'The simulator''s own book: what a provider of straw has paid. It takes every order it is given, a second time too.';

      create table simulated_plans (
        client_id text collate "C" not null,
        livemode boolean not null check (not livemode),
        subject_id text collate "C" not null,
        outcome text not null check (outcome in ('completed', 'failed', 'timeout', 'lost')),
        primary key (client_id, livemode, subject_id)
      );
      comment on table simulated_plans is 'What the merchant wants the simulator to do with a payout, so that each branch can be tried.';

      alter table payments add column amount_refunding_minor numeric(38, 0) not null default 0 check (amount_refunding_minor >= 0);
      alter table payments add column deposit_address text;
      alter table payments drop constraint payments_refund_within_received;
      alter table payments add constraint payments_refund_within_received
        check (amount_refunded_minor + amount_refunding_minor <= amount_received_minor);
      create index payments_by_id on payments (id);
      create index payments_everywhere on payments (livemode, status, id);
      create index payments_unknown on payments (updated_at) where exception = 'unknown';
      create index payments_exceptions on payments (exception, id) where exception is not null;

      alter table unmatched_deposits add column id text collate "C" unique;
      update unmatched_deposits set id = 'dep_' || md5(provider || ' ' || reference);
      alter table unmatched_deposits alter column id set not null;
      alter table unmatched_deposits add column booked boolean not null default false;
      update unmatched_deposits set booked = true
       where reason not in ('no_payment', 'wrong_mode', 'wrong_method') and client_id is not null
         and exists (select from ledger_accounts a where a.client_id = unmatched_deposits.client_id and a.livemode = unmatched_deposits.livemode
                        and a.currency = unmatched_deposits.currency and a.kind = 'unmatched');
      alter table unmatched_deposits add column details jsonb not null default '{}';
      alter table unmatched_deposits add column resolved_by text collate "C";
      alter table unmatched_deposits add column resolved_at timestamptz;
      alter table unmatched_deposits add column resolution text;
      alter table unmatched_deposits add column revision bigint not null default 1;
      alter table unmatched_deposits drop constraint unmatched_deposits_reason_check;
      alter table unmatched_deposits add constraint unmatched_deposits_reason_check check (reason in (
        'no_payment', 'wrong_mode', 'wrong_method', 'wrong_amount', 'wrong_currency', 'wrong_asset',
        'late', 'underpaid', 'overpaid', 'closed_payment'));
      alter table unmatched_deposits drop constraint unmatched_deposits_status_check;
      alter table unmatched_deposits add constraint unmatched_deposits_status_check check (status in ('open', 'refunding', 'assigned', 'refunded'));
      create index unmatched_deposits_by_status on unmatched_deposits (status, id);
      create index unmatched_deposits_by_client on unmatched_deposits (client_id, id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table unmatched_deposits drop column id, drop column booked, drop column details, drop column resolved_by, drop column resolved_at,
        drop column resolution, drop column revision;
      drop index payments_by_id, payments_everywhere, payments_unknown, payments_exceptions, unmatched_deposits_by_status, unmatched_deposits_by_client;
      alter table payments drop column amount_refunding_minor, drop column deposit_address;
      drop table simulated_plans, simulated_payouts, payout_references, payouts, decisions, payment_overrides, refunds, withdrawals, destinations, switches;
      drop function count_decision(), check_decision();
    `);
  }
}

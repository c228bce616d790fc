import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments say themselves who paid them and from where, so that nothing has to be written a second time to count them. */
export class PayerNetwork1763600000017 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table payments add column payer_network text collate "C";
      comment on column payments.payer_network is 'Whom the IP of the payer stands for where payers are counted: an IPv4 address for itself, an IPv6 address for its /64.';
      update payments p set payer_network = s.entity from risk_sightings s
       where s.client_id = p.client_id and s.livemode = p.livemode and s.kind = 'payment.ip' and s.subject_id = p.id;
      create index payments_by_network on payments (client_id, livemode, payer_network, id) where payer_network is not null;
      delete from risk_sightings s where s.kind in ('payment.customer', 'payment.ip')
        and exists (select from payments p where p.client_id = s.client_id and p.livemode = s.livemode and p.id = s.subject_id);
      -- What is left was stopped and became no payment.
      update risk_sightings set kind = replace(kind, 'payment.', 'stopped.') where kind in ('payment.customer', 'payment.ip');
      drop index risk_sightings_small;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create index risk_sightings_small on risk_sightings (client_id, livemode, kind, entity, at) where small;
      update risk_sightings set kind = replace(kind, 'stopped.', 'payment.') where kind in ('stopped.customer', 'stopped.ip');
      insert into risk_sightings (client_id, livemode, kind, entity, at, subject_id, amount_minor, currency, small)
      select p.client_id, p.livemode, s.kind, s.entity, p.created_at, p.id, p.amount_minor, p.currency, false
        from payments p cross join lateral (values ('payment.customer', p.customer), ('payment.ip', p.payer_network)) as s (kind, entity)
       where s.entity is not null and p.created_at > now() - interval '30 days';
      drop index payments_by_network;
      alter table payments drop column payer_network;
    `);
  }
}

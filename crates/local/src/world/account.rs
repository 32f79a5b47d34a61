//! What belongs to the account and not to a bucket: the state of every service but S3.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::iam::Iam;
use super::route53::Route53;
use super::{Block, Fault, World};

/// The state of every service but S3.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The account-wide public access block of S3.
    pub block: Option<Block>,
    /// Roles.
    pub iam: Iam,
    /// Hosted zones, record sets and health checks.
    pub route53: Route53,
}

impl World {
    /// Looks at the account. The time is the world's.
    pub fn account<R>(&self, look: impl FnOnce(&Account, SystemTime) -> R) -> R {
        look(&self.read().account, self.clock().now())
    }

    /// Changes the account whole or, when `change` refuses, not at all.
    pub fn change_account<R, E: From<Fault>>(
        &self,
        change: impl FnOnce(&mut Account, SystemTime) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut state = self.write();
        let mut account = state.account.clone();
        let done = change(&mut account, self.clock().now())?;
        self.keep(|disk| disk.account(&account))?;
        state.account = account;
        Ok(done)
    }

    /// The account-wide public access block.
    pub fn account_block(&self) -> Option<Block> {
        self.account(|account, _| account.block)
    }

    /// Sets or removes the account-wide public access block.
    pub fn set_account_block(&self, block: Option<Block>) -> Result<(), Fault> {
        self.change_account(|account, _| {
            account.block = block;
            Ok(())
        })
    }
}

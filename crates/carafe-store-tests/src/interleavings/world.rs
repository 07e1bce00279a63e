//! One run: clients whose requests, and their calls of the store, are let through one by one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carafe::store::SessionStore;
use carafe::{Config, Error, Session};
use tokio::task::JoinHandle;

use super::choices::Choices;
use super::gate::{Gate, Gated};
use super::model::user_of;
use super::plan::{
    Act, Content, GRACE, IDLE, NUMBER, Observed, Outcome, Plan, RENEW_AFTER, Renewal, Reply, Token,
};
use crate::app::{App, Browser, SetCookie, Site};

/// The number of turns without a request that wants one after which a run counts as stuck.
const PATIENCE: usize = 10_000;

/// The place of runs: two stores on one place, as two processes would have them.
#[derive(Debug)]
pub(super) struct World<S> {
    stores: [Arc<S>; 2],
    runs: AtomicUsize,
}

/// The state of a client.
struct Client<S> {
    plan: Plan,
    site: Site,
    gate: Gate,
    apps: [App; 2],
    store: Gated<S>,
    /// The prefix of this run's users: the store may hold others.
    prefix: String,
    observed: Mutex<Vec<Observed>>,
}

impl<S: SessionStore> World<S> {
    pub(super) fn new(stores: [S; 2]) -> Self {
        let stores = stores.map(Arc::new);
        Self { stores, runs: AtomicUsize::new(0) }
    }

    /// Runs a plan with some choices, in a runtime of one thread.
    pub(super) async fn run(&self, plan: &Plan, choices: &mut Choices) -> Outcome {
        let site = Site::new();
        let gate = Gate::new(plan.mishap);
        let prefix = format!("{} ", self.runs.fetch_add(1, Ordering::Relaxed));
        let app = |process: usize, renew_after: u64| {
            let store = Arc::clone(&self.stores[process]);
            site.app_with(gate.before(store, process), |config| settings(config, renew_after))
        };
        let renew_after = if plan.renewal == Renewal::Never { 0 } else { RENEW_AFTER };
        let apps = [app(0, renew_after), app(1, renew_after)];
        let (first, user) = (Browser::default(), plan.logged_in.then(|| format!("{prefix}ada")));
        let cookie = begin(&apps[0], first, user).await;
        if plan.renewal == Renewal::Due {
            site.clock.advance(RENEW_AFTER);
        }
        gate.close();
        let store = gate.before(Arc::clone(&self.stores[0]), 0);
        let (plan, observed) = (plan.clone(), Mutex::default());
        let (site, gate) = (site.clone(), gate.clone());
        let client = Arc::new(Client { plan, site, gate, apps, store, prefix, observed });
        let plan = &client.plan;
        let clients: Vec<_> = (0..plan.clients.len())
            .map(|number| tokio::spawn(Arc::clone(&client).run(number, cookie.clone())))
            .collect();
        let mut waited = 0;
        client.gate.settle().await;
        loop {
            let is_over = |(number, task): (usize, &JoinHandle<()>)| {
                task.is_finished() || plan.is_killed(number)
            };
            if client.gate.let_one_through(choices).await {
                waited = 0;
            } else if clients.iter().enumerate().all(is_over) {
                break;
            } else {
                // A request looks again after a while, since the store failed.
                assert!(waited < PATIENCE, "a run is stuck: {plan:?}, {:?}", choices.taken());
                waited += 1;
                client.gate.wait().await;
                client.gate.settle().await;
            }
        }
        client.gate.open();
        for task in clients {
            match task.is_finished() {
                true => task.await.unwrap(),
                false => task.abort(),
            }
        }
        // Looking must not renew.
        let outcome = client.outcome(&app(0, 0), cookie).await;
        client.gate.forget();
        outcome
    }
}

fn settings(config: Config, renew_after: u64) -> Config {
    config
        .strict(true)
        .idle_timeout(Duration::from_secs(IDLE))
        .absolute_timeout(Duration::from_secs(100 * IDLE))
        .renew_after(Duration::from_secs(renew_after))
        .renewal_grace(Duration::from_secs(GRACE))
        .store_timeout(Duration::from_secs(3_600))
        .sweep_interval(Duration::ZERO)
}

/// The cookie of the session that all clients begin with.
async fn begin(app: &App, mut browser: Browser, user: Option<String>) -> String {
    let work = |session: Session| async move {
        if let Some(user) = user {
            session.login(user)?;
        }
        session.insert(NUMBER, 1)
    };
    browser.send(app, work).await.ok();
    browser.cookie().to_owned()
}

impl<S: SessionStore> Client<S> {
    /// Does what a client does, one after the other, and keeps its cookie as a browser does.
    async fn run(self: Arc<Self>, client: usize, cookie: String) {
        let mut jar = Some((Token::Initial, cookie));
        for act in self.plan.clients[client].clone() {
            self.gate.begin().await;
            let number = {
                let mut observed = self.observed.lock().unwrap();
                observed.push(Observed {
                    act,
                    client,
                    token: jar.as_ref().map(|(token, _)| *token),
                    began: self.gate.step(),
                    clock: self.site.clock.now().0,
                    answered: None,
                });
                observed.len() - 1
            };
            let reply = match act.seconds() {
                Some(seconds) => self.pass_time(seconds).await,
                None => self.request(act, number, client, jar.as_ref()).await,
            };
            match &reply.cookie {
                SetCookie::Keep => {}
                SetCookie::Set(cookie) => jar = Some((Token::Of(number), cookie.clone())),
                SetCookie::Remove => jar = None,
            }
            self.observed.lock().unwrap()[number].answered = Some((self.gate.step(), reply));
            self.gate.note();
        }
    }

    async fn pass_time(&self, seconds: u64) -> Reply {
        self.gate.act().await;
        self.site.clock.advance(seconds);
        // A failure is no news: what has expired counts for nothing anyway.
        let _ = self.store.delete_expired(self.site.clock.now(), 10_000).await;
        Reply { status: 200, cookie: SetCookie::Keep, seen: None, updated: None }
    }

    async fn request(
        &self,
        act: Act,
        number: usize,
        client: usize,
        jar: Option<&(Token, String)>,
    ) -> Reply {
        let app = &self.apps[self.plan.process_of(client)];
        let seen = Arc::new(Mutex::new(None));
        let (prefix, saw) = (self.prefix.clone(), Arc::clone(&seen));
        let gate = self.plan.time_passes().then(|| self.gate.clone());
        let work = move |session: Session| async move {
            // Looking would count as having read the number.
            if act != Act::Set {
                *saw.lock().unwrap() = Some(content_of(&session, &prefix)?);
            }
            if let Some(gate) = gate {
                // Without a call of the store only the time can make a difference here.
                gate.act().await;
            }
            perform(act, number, &session, &prefix).await
        };
        let answer = app.request(jar.map(|(_, cookie)| cookie.as_str()), work).await;
        let seen = seen.lock().unwrap().take();
        let updated = answer.value.flatten().filter(|_| answer.status == 200);
        Reply { status: answer.status.as_u16(), cookie: answer.cookie, seen, updated }
    }

    /// Returns the outcome in the end.
    async fn outcome(&self, app: &App, initial: String) -> Outcome {
        let requests = std::mem::take(&mut *self.observed.lock().unwrap());
        let mut cookies = vec![(Token::Initial, initial)];
        for (number, request) in requests.iter().enumerate() {
            if let Some((_, Reply { cookie: SetCookie::Set(cookie), .. })) = &request.answered {
                cookies.push((Token::Of(number), cookie.clone()));
            }
        }
        let mut found = BTreeMap::new();
        for (token, cookie) in cookies {
            let prefix = self.prefix.clone();
            let look = move |session: Session| async move { content_of(&session, &prefix) };
            found.insert(token, app.request(Some(&cookie), look).await.ok());
        }
        let mut records = BTreeMap::new();
        for user in ["ada", "bob"] {
            let name = format!("{}{user}", self.prefix);
            let list = self.store.list_for_user(&name, self.site.clock.now()).await.unwrap();
            records.insert(user, list.len());
        }
        Outcome { requests, found, records, failures: self.gate.failures() }
    }
}

fn content_of(session: &Session, prefix: &str) -> Result<Content, Error> {
    let user = session.user().map(|user| match user.strip_prefix(prefix) {
        Some("ada") => "ada",
        Some("bob") => "bob",
        _ => "another user",
    });
    let mut numbers = BTreeMap::new();
    for key in session.keys() {
        numbers.insert(key.to_string(), session.get::<u64>(&key)?.unwrap_or(0));
    }
    Ok(Content { user, numbers })
}

/// Does the act of a request that has seen its session; returns the result of its update.
async fn perform(
    act: Act,
    number: usize,
    session: &Session,
    prefix: &str,
) -> Result<Option<u64>, Error> {
    match act {
        Act::Write => session.insert(format!("key {number}"), 1)?,
        Act::Set => session.insert(NUMBER, 100 * number as u64)?,
        Act::ReadAndSet => {
            let n: u64 = session.get(NUMBER)?.unwrap_or(0);
            session.insert(NUMBER, n + 1)?;
        }
        Act::Update => {
            let increment = |n: Option<u64>| n.unwrap_or(0) + 1;
            return session.update_now(NUMBER, increment).await.map(Some);
        }
        Act::Rotate => session.rotate()?,
        Act::Login => session.login(format!("{prefix}{}", user_of(number)))?,
        Act::Logout => session.logout()?,
        Act::LogoutEverywhere => session.logout_everywhere().await.map(|_| ())?,
        Act::Read | Act::Age | Act::Expire => {}
    }
    Ok(None)
}

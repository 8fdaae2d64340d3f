#pragma once

#include "media/curl_pointers.hpp"

#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

/// Transfers of libcurl beside everything else. For sources only.
namespace troupe::media {

/// What every transfer is set up with: HTTP alone, no signals, no proxy of the
/// environment, which an address guard could not see past.
inline void set_up(CURL* easy, const char* url, const char* proxy,
                   long limit_ms, curl_slist* headers) {
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, limit_ms);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "troupe");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

/// Seconds that an answer asks to wait for; 0: none.
inline double retry_after(CURL* easy) {
  curl_off_t wait = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
  return static_cast<double>(wait);
}

/// Runs transfers of one kind, all at once, on a thread of its own. A
/// `Transfer` owns its handle, `easy`, and stays where it is from `prepare`
/// to `settle`, which both run on that thread; those that have not ended with
/// the loop are dropped.
/// Invariants: `under_way_` is the thread's alone, and holds what `multi_`
/// works on; what was added is in `added_` until the thread takes it.
template <class Transfer>
class curl_loop {
public:
  using prepare_function = std::function<void(Transfer&)>;
  using settle_function = std::function<void(Transfer&, CURLcode)>;

  /// @param connections at most; 0: any number
  curl_loop(prepare_function prepare, settle_function settle,
            long connections = 0)
    : prepare_(std::move(prepare)), settle_(std::move(settle)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi_.reset(curl_multi_init());
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      connections);
    thread_ = std::jthread{[this](const std::stop_token& stop) {
      run(stop);
    }};
  }

  ~curl_loop() {
    thread_.request_stop();
    curl_multi_wakeup(multi_.get());
    thread_.join();
    for (auto& it : under_way_)
      curl_multi_remove_handle(multi_.get(), it.easy.get());
  }

  /// Thread-safe.
  void add(Transfer fresh) {
    {
      const std::lock_guard lock{mutex_};
      added_.push_back(std::move(fresh));
    }
    curl_multi_wakeup(multi_.get());
  }

private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      begin_added();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      settle_done();
      curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    }
  }

  void begin_added() {
    std::list<Transfer> fresh;
    {
      const std::lock_guard lock{mutex_};
      fresh.swap(added_);
    }
    while (!fresh.empty()) {
      auto& it = fresh.front();
      it.easy.reset(curl_easy_init());
      curl_easy_setopt(it.easy.get(), CURLOPT_PRIVATE, &it);
      prepare_(it);
      curl_multi_add_handle(multi_.get(), it.easy.get());
      under_way_.splice(under_way_.end(), fresh, fresh.begin());
    }
  }

  void settle_done() {
    int left = 0;
    while (auto* news = curl_multi_info_read(multi_.get(), &left)) {
      if (news->msg != CURLMSG_DONE)
        continue;
      const auto outcome = news->data.result;
      Transfer* done = nullptr;
      curl_easy_getinfo(news->easy_handle, CURLINFO_PRIVATE, &done);
      curl_multi_remove_handle(multi_.get(), done->easy.get());
      std::list<Transfer> ended;
      for (auto it = under_way_.begin(); it != under_way_.end(); ++it)
        if (&*it == done) {
          ended.splice(ended.end(), under_way_, it);
          break;
        }
      settle_(*done, outcome);
    }
  }

  const prepare_function prepare_;
  const settle_function settle_;
  multi_ptr multi_;
  std::mutex mutex_;
  std::list<Transfer> added_;
  std::list<Transfer> under_way_;
  std::jthread thread_;
};

} // namespace troupe::media

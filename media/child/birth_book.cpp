#include "media/child/birth_book.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <numeric>

namespace troupe::media {

namespace {

birth_page* map(int file) {
  void* at = ::mmap(nullptr, sizeof(birth_page), PROT_READ | PROT_WRITE,
                    MAP_SHARED, file, 0);
  return at == MAP_FAILED ? nullptr : static_cast<birth_page*>(at);
}

} // namespace

birth_book::birth_book() : file_(::memfd_create("births", MFD_CLOEXEC)) {
  if (!file_ || ::ftruncate(file_.get(), sizeof(birth_page)) != 0)
    return;
  page_ = map(file_.get());
  if (!page_)
    return;
  free_.resize(birth_lines);
  std::iota(free_.rbegin(), free_.rend(), 0u);
}

birth_book::~birth_book() {
  if (page_)
    ::munmap(page_, sizeof *page_);
}

std::optional<std::uint32_t> birth_book::take() {
  if (free_.empty())
    return std::nullopt;
  const auto line = free_.back();
  free_.pop_back();
  std::atomic_ref{(*page_)[line]}.store(0);
  return line;
}

void birth_book::give_back(std::uint32_t line) {
  free_.push_back(line);
}

pid_t birth_book::read(std::uint32_t line) const {
  return std::atomic_ref{(*page_)[line]}.load();
}

birth_page* map_birth_page(int file) {
  auto* page = map(file);
  if (page && ::madvise(page, sizeof *page, MADV_DONTFORK) != 0) {
    ::munmap(page, sizeof *page);
    return nullptr;
  }
  return page;
}

} // namespace troupe::media

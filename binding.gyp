{
  "variables": { "sanitize%": "" },
  "targets": [
    {
      "target_name": "sys",
      "type": "static_library",
      "includes": ["native/flags.gypi"],
      "sources": [
        "native/sys/bus_guard.cc",
        "native/sys/child_wait.cc",
        "native/sys/clock.cc",
        "native/sys/descriptor.cc",
        "native/sys/entropy.cc",
        "native/sys/detached_program.cc",
        "native/sys/event_fd.cc",
        "native/sys/file_hole.cc",
        "native/sys/file_lock.cc",
        "native/sys/file_size.cc",
        "native/sys/flock.cc",
        "native/sys/fork_count.cc",
        "native/sys/futex.cc",
        "native/sys/futex_many.cc",
        "native/sys/helper_thread.cc",
        "native/sys/mapping.cc",
        "native/sys/memory_object.cc",
        "native/sys/pipe.cc",
        "native/sys/poll_wait.cc",
        "native/sys/process.cc",
        "native/sys/process_attributes.cc",
        "native/sys/process_fd.cc",
        "native/sys/process_status.cc",
        "native/sys/resource_limits.cc",
        "native/sys/robust_mutex.cc",
        "native/sys/scheduling.cc",
        "native/sys/scm_rights.cc",
        "native/sys/semaphore.cc",
        "native/sys/signals.cc",
        "native/sys/sleep.cc",
        "native/sys/socket_pair.cc",
        "native/sys/spawn.cc",
        "native/sys/stream_socket.cc"
      ]
    },
    {
      "target_name": "ipc",
      "type": "static_library",
      "includes": ["native/flags.gypi"],
      "sources": [
        "native/ipc/barrier_wait.cc",
        "native/ipc/condition_wait.cc",
        "native/ipc/event_flag.cc",
        "native/ipc/name_registry.cc",
        "native/ipc/process_table.cc",
        "native/ipc/process_identity.cc",
        "native/ipc/region.cc",
        "native/ipc/ring.cc",
        "native/ipc/ring_files.cc",
        "native/ipc/ring_loans.cc",
        "native/ipc/ring_mail.cc",
        "native/ipc/ring_space.cc",
        "native/ipc/sem_lock.cc",
        "native/ipc/semaphore_units.cc",
        "native/ipc/unit_ledger.cc",
        "native/ipc/wait_room.cc",
        "native/ipc/waitable.cc",
        "native/ipc/waiter_table.cc",
        "native/ipc/word_lock.cc",
        "native/ipc/word_watch.cc"
      ]
    },
    {
      "target_name": "mp",
      "includes": ["native/flags.gypi", "native/addon.gypi"],
      "dependencies": ["ipc"],
      "sources": [
        "native/binding/descriptor_api.cc",
        "native/binding/errors.cc",
        "native/binding/frame_api.cc",
        "native/binding/limits_api.cc",
        "native/binding/lock_api.cc",
        "native/binding/locking_api.cc",
        "native/binding/memory_api.cc",
        "native/binding/module.cc",
        "native/binding/name_registry_api.cc",
        "native/binding/poller_api.cc",
        "native/binding/process_api.cc",
        "native/binding/region_api.cc",
        "native/binding/ring_api.cc",
        "native/binding/semaphore_api.cc",
        "native/binding/socket_api.cc",
        "native/binding/wait_api.cc",
        "native/binding/wait_room_api.cc"
      ]
    },
    {
      "target_name": "tracker",
      "type": "executable",
      "includes": ["native/flags.gypi"],
      "dependencies": ["ipc", "sys"],
      "sources": ["native/tracker/main.cc"]
    },
    {
      "target_name": "fork",
      # The one binary that is bound to a Node ABI carries its number, so that no other Node loads it.
      "product_name": "fork-<(node_module_version)",
      "includes": ["native/flags.gypi", "native/addon.gypi"],
      "sources": [
        "native/binding/errors.cc",
        "native/fork/child_loop.cc",
        "native/fork/forker.cc",
        "native/fork/heap_compaction.cc",
        "native/fork/heap_pages.cc",
        "native/fork/heap_placement.cc",
        "native/fork/io_pool_parking.cc",
        "native/fork/module.cc",
        "native/fork/platform_takeover.cc",
        "native/fork/trial.cc",
        "native/fork/worker_pool.cc"
      ]
    }
  ]
}

#if X264
  import CX264
  public import Media

  /// H.264 by libx264, tuned for no delay: no B pictures, no lookahead, slices as threads, VBV at the peak bitrate.
  ///
  /// Opened and used on one thread; x264 has its own threads inside. Logs nothing.
  public final class X264Encoder: VideoEncoder {
    public let settings: VideoEncoderSettings
    public let parameterSets: H264ParameterSets

    private static let library = "libx264"
    private let encoder: OpaquePointer
    // In the heap, because x264 is given their addresses; made once, because x264_picture_t has 40 fields.
    private let input: UnsafeMutablePointer<x264_picture_t>
    private let output: UnsafeMutablePointer<x264_picture_t>
    private var lastTime: MonotonicTime?

    /// Throws `setting`, `open` or `parameterSets`. Costs some 10 MB at 720p.
    public init(_ settings: VideoEncoderSettings) throws(EncodingError) {
      try settings.validate()
      var parameters = try Self.parameters(settings)
      let opened = lapel_x264_open(&parameters)
      x264_param_cleanup(&parameters)
      guard let opened else { throw .open(library: Self.library, code: 0) }
      guard let sets = Self.parameterSets(of: opened) else {
        x264_encoder_close(opened)
        throw .parameterSets(library: Self.library)
      }
      self.settings = settings
      encoder = opened
      parameterSets = sets
      input = .allocate(capacity: 1)
      input.initialize(to: x264_picture_t())
      output = .allocate(capacity: 1)
      output.initialize(to: x264_picture_t())
      x264_picture_init(input)
    }

    deinit {
      x264_encoder_close(encoder)
      input.deallocate()
      output.deallocate()
    }

    public func encode(
      picture: RawSpan, layout: I420Layout, time: MonotonicTime, position: Int64, forceKeyframe: Bool,
      emit: (PacketHeader, RawSpan) -> Void
    ) throws(EncodingError) {
      try checkInput(bytes: picture.byteCount, layout: layout, time: time, last: lastTime)
      let isFirst = lastTime == nil
      lastTime = time

      input.pointee.i_type = forceKeyframe || isFirst ? X264_TYPE_IDR : X264_TYPE_P
      // With b_vfr_input = 0 rate control does not read it: it only has to grow and to come back.
      input.pointee.i_pts = time.nanoseconds
      input.pointee.img.i_csp = X264_CSP_I420
      input.pointee.img.i_plane = 3
      input.pointee.img.i_stride = (Int32(layout.lumaStride), Int32(layout.chromaStride), Int32(layout.chromaStride), 0)

      var nals: UnsafeMutablePointer<x264_nal_t>?
      var count: Int32 = 0
      let size = picture.withUnsafeBytes { bytes in
        // x264 declares the planes mutable and only reads them; they are copied before the call returns.
        let planes = UnsafeMutableRawBufferPointer(mutating: bytes).baseAddress?.assumingMemoryBound(to: UInt8.self)
        input.pointee.img.plane = (
          planes, planes?.advanced(by: layout.blueOffset), planes?.advanced(by: layout.redOffset), nil
        )
        defer { input.pointee.img.plane = (nil, nil, nil, nil) }
        return x264_encoder_encode(encoder, &nals, &count, input, output)
      }
      guard size >= 0 else { throw .encode(library: Self.library, code: Int(size)) }
      guard size > 0, let nals, count > 0 else { throw .noPacket(library: Self.library, time: time) }
      guard output.pointee.i_pts == time.nanoseconds, output.pointee.i_dts == time.nanoseconds else {
        throw .outOfStep(library: Self.library, sent: time.nanoseconds, received: output.pointee.i_pts)
      }
      let type = output.pointee.i_type
      guard type == X264_TYPE_IDR || type == X264_TYPE_P || type == X264_TYPE_I else {
        throw .packet(library: Self.library, reason: "picture type \(type)")
      }

      // All payloads lie one after another (x264.h); what is not a slice may only precede them.
      let units = UnsafeBufferPointer(start: nals, count: Int(count))
      guard let first = units.firstIndex(where: { $0.isSlice }), units[first...].allSatisfy({ $0.isSlice }),
        let start = units[first].p_payload
      else { throw .packet(library: Self.library, reason: "unexpected order of NAL units") }
      let length = units[first...].reduce(0) { $0 + Int($1.i_payload) }

      var flags: PacketFlags = isFirst ? .streamStart : []
      if type == X264_TYPE_IDR { flags.insert(.keyframe) }
      emit(
        PacketHeader(track: .video, flags: flags, length: length, time: time, position: position),
        UnsafeRawBufferPointer(start: start, count: length).bytes)
    }

    /// `ultrafast` does less by leaving out what its parameter sets then say; it is the least already.
    public var canLowerEffort: Bool { settings.preset != .ultrafast }

    /// What x264_encoder_reconfig may change and take back, without new parameter sets; at 720p 0.9 of the work of `superfast`
    /// remains, 0.6 of that of `veryfast`, 0.4 of that of `faster`.
    public func setEffort(lowered: Bool) throws(EncodingError) {
      guard canLowerEffort else { return }
      var wanted = x264_param_t()
      x264_encoder_parameters(encoder, &wanted)
      var configured = try Self.parameters(settings)
      defer { x264_param_cleanup(&configured) }
      // Not 0: libx264 does not come back from that.
      wanted.analyse.i_subpel_refine =
        lowered ? min(1, configured.analyse.i_subpel_refine) : configured.analyse.i_subpel_refine
      wanted.analyse.i_me_method = lowered ? X264_ME_DIA : configured.analyse.i_me_method
      wanted.analyse.inter = lowered ? 0 : configured.analyse.inter
      wanted.analyse.i_trellis = lowered ? 0 : configured.analyse.i_trellis
      wanted.analyse.b_mixed_references = lowered ? 0 : configured.analyse.b_mixed_references
      wanted.analyse.b_psy = lowered ? 0 : configured.analyse.b_psy
      wanted.b_deblocking_filter = lowered ? 0 : configured.b_deblocking_filter
      wanted.i_frame_reference = lowered ? 1 : configured.i_frame_reference
      guard x264_encoder_reconfig(encoder, &wanted) == 0 else {
        throw .setting(name: "effort", value: lowered ? "lowered" : "as configured", allowed: "what libx264 takes")
      }
    }

    private static func parameters(_ settings: VideoEncoderSettings) throws(EncodingError) -> x264_param_t {
      var p = x264_param_t()
      let status = x264_param_default_preset(&p, settings.preset.rawValue, "zerolatency")
      guard status == 0 else { throw .open(library: library, code: Int(status)) }
      p.i_log_level = X264_LOG_NONE

      p.i_width = Int32(settings.width)
      p.i_height = Int32(settings.height)
      p.i_csp = X264_CSP_I420
      let rate = settings.rateFraction
      p.i_fps_num = rate.numerator
      p.i_fps_den = rate.denominator
      p.b_vfr_input = 0
      let colour: Int32 = settings.colour.matrix == .bt601 ? 6 : 1
      p.vui.i_colorprim = colour
      p.vui.i_transfer = colour
      p.vui.i_colmatrix = colour
      p.vui.b_fullrange = settings.colour.isFullRange ? 1 : 0

      // Keyframes only by request (KeyframeCadence), each of them IDR.
      p.i_keyint_max = X264_KEYINT_MAX_INFINITE
      p.i_scenecut_threshold = 0
      p.b_intra_refresh = 0
      p.b_open_gop = 0
      p.i_bframe = 0

      p.rc.i_rc_method = X264_RC_ABR
      p.rc.i_bitrate = Int32(settings.bitrate / 1000)
      p.rc.i_vbv_max_bitrate = Int32(settings.peakBitrate / 1000)
      p.rc.i_vbv_buffer_size = Int32(settings.bufferBytes * 8 / 1000)
      p.i_threads = Int32(settings.threads)
      p.b_sliced_threads = 1

      p.b_annexb = 0
      p.b_repeat_headers = 0
      p.b_aud = 0
      return p
    }

    private static func parameterSets(of encoder: OpaquePointer) -> H264ParameterSets? {
      var nals: UnsafeMutablePointer<x264_nal_t>?
      var count: Int32 = 0
      guard x264_encoder_headers(encoder, &nals, &count) > 0 else { return nil }
      var sets = H264ParameterSets(sequence: [], picture: [])
      for unit in UnsafeBufferPointer(start: nals, count: Int(count)) where unit.i_payload > 4 {
        // The first four bytes are the length.
        let bytes = [UInt8](UnsafeBufferPointer(start: unit.p_payload, count: Int(unit.i_payload)).dropFirst(4))
        if unit.i_type == Int32(NAL_SPS.rawValue) { sets.sequence = bytes }
        if unit.i_type == Int32(NAL_PPS.rawValue) { sets.picture = bytes }
      }
      return sets.sequence.isEmpty || sets.picture.isEmpty ? nil : sets
    }
  }

  extension x264_nal_t {
    fileprivate var isSlice: Bool { i_type == Int32(NAL_SLICE.rawValue) || i_type == Int32(NAL_SLICE_IDR.rawValue) }
  }
#endif
